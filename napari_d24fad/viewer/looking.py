"""Shows a scan of the gallery on the canvas, to look at it before it is marked."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QObject

from napari_d24fad.errors import D24fadError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.running.run_panel import RunPanel
from napari_d24fad.viewer.running.workers import Worker

_BACK = "Escape: back to the result"


class Looking(QObject):
    """The scan that is looked at: its middle slice at once, the others when they are read.

    Args:
        scans: Shows it.
        gallery: Has its card.
        view: Shows the result, before and after.
        run_panel: Tells why a scan cannot be shown.
    """

    def __init__(self, scans: ScanLayers, gallery: Gallery, view: ResultView, run_panel: RunPanel) -> None:
        super().__init__()
        self._scans, self._gallery, self._view, self._run_panel = scans, gallery, view, run_panel
        self._worker: Worker | None = None
        gallery.look_requested.connect(self.look_at)
        gallery.result_requested.connect(self.discard)
        gallery.lesion_step_requested.connect(self.discard)

    @property
    def is_busy(self) -> bool:
        """Whether slices are still to come."""
        return self._worker is not None and not self._worker.is_over

    def look_at(self, series: Series) -> None:
        """Shows a scan, or the result if it is the scan that was examined."""
        self.discard()
        self._gallery.point_out(series)
        if self._scans.shown is not None and self._scans.shown.series is series:
            return
        if self._view.examined is series:
            self._view.come_back()
            return

        def work(progress: Progress, cancel: CancelToken) -> Scan:
            if series.outline.is_volume:
                worker.hand(series.with_middle_slice(cancel))
            return series.load(progress, cancel)

        worker = self._worker = Worker(work)
        worker.handed.connect(partial(self._show, series))
        worker.returned.connect(partial(self._show_all, series))
        worker.failed.connect(self._show_failure)
        worker.start()

    def show_early(self, series: Series, scan: Scan, notice: str) -> None:
        """Shows a series that is in no gallery yet, such as the first image of one that is retrieved.

        Args:
            series: The series.
            scan: What there is of it.
            notice: Is written on the canvas above it.
        """
        self.discard()
        self._show(series, scan, notice)

    def shows(self, series: Series) -> bool:
        """Whether a series is on the canvas."""
        return self._scans.shown is not None and self._scans.shown.series is series

    def take_away(self, series: Series) -> None:
        """Takes a series off the canvas, if it is there: the result is shown again, or nothing."""
        if self.shows(series):
            self._scans.show_nothing()
            self.end()

    def end(self) -> None:
        """Shows the result again, if there is one and something else is looked at."""
        self.discard()
        if self._view.is_aside:
            self._view.come_back()

    def discard(self) -> None:
        """Stops reading: nobody looks any more."""
        if self._worker is not None:
            self._worker.discard()
            self._worker = None

    def _show_all(self, series: Series, scan: Scan) -> None:
        if self._scans.shown is None or self._scans.shown.series is not series:
            self._show(series, scan)
        else:
            self._scans.fill(scan)

    def _show(self, series: Series, scan: Scan, notice: str = "") -> None:
        has_result = self._view.examined is not None
        self._view.step_aside()
        shown = self._scans.show_scan(series, scan)
        self._scans.set_caption("")
        known = notice or (series.title if has_result else "")
        # Below each other after a notice, which may not be cut off on a narrow canvas.
        apart = "\n" if notice else ". "
        self._scans.set_notice(apart.join(line for line in (known, _BACK if has_result else "") if line))
        self._scans.go_to_slice(list(shown.slice_order).index(scan.n_slices // 2))

    def _show_failure(self, error: D24fadError) -> None:
        self._run_panel.show_error(str(error))
