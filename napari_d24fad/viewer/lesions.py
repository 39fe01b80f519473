"""Lets the reader show where the lesion of an abnormal example is: by an outline or by a slice."""

from __future__ import annotations

import uuid

from napari.layers import Labels, Layer, Shapes
from napari.viewer import Viewer
from qtpy.QtCore import QObject

from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Drawn
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.canvas.drawn import LESION_KEY, Canvas, drawing_on
from napari_d24fad.viewer.canvas.scans import ScanLayers, ShownScan
from napari_d24fad.viewer.gallery.example_row import Lesion, LesionStep
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.running.jobs import Jobs
from napari_d24fad.viewer.running.run_panel import RunPanel

_NOTHING_DRAWN = "Nothing is outlined on the example yet. Draw around its lesion, then take the outline."


class LesionMarking(QObject):
    """Shows an example in place of the result until its lesion is marked.

    Args:
        viewer: Where it is shown.
        scans: Shows it.
        gallery: Has the cards of examples.
        view: Shows the result, before and after.
        jobs: Reads the example.
        run_panel: Tells what is missing.
    """

    def __init__(
        self,
        viewer: Viewer,
        scans: ScanLayers,
        gallery: Gallery,
        view: ResultView,
        jobs: Jobs,
        run_panel: RunPanel,
    ) -> None:
        super().__init__()
        self._viewer, self._scans, self._gallery = viewer, scans, gallery
        self._view, self._jobs, self._run_panel = view, jobs, run_panel
        self._shown: ShownScan | None = None
        self._layer: Layer | None = None
        gallery.lesion_step_requested.connect(self._take)
        scans.scan_shown.connect(self._follow_scan)
        scans.removed.connect(self.end)
        gallery.roles_changed.connect(self._follow_roles)

    def end(self) -> None:
        """Shows the result again, if a lesion is being marked."""
        if self._shown is not None:
            self._close()
            self._view.come_back()

    def _take(self, series: Series, step: LesionStep) -> None:
        if step is LesionStep.SHOW:
            self._read(series)
        elif self._shown is None or self._shown.series is not series:
            return
        elif step is LesionStep.OUTLINE:
            outline = self._outline(self._shown)
            if outline is None:
                self._run_panel.show_note(_NOTHING_DRAWN)
            else:
                self._settle(series, outline)
        elif step is LesionStep.SLICE:
            self._settle(series, (int(self._shown.slice_order[self._scans.current_slice]),))
        elif step is LesionStep.FORGET:
            self._settle(series, None)
        else:
            self.end()

    def _read(self, series: Series) -> None:
        def work(progress: Progress, cancel: CancelToken) -> tuple[Series, Scan]:
            return series, series.load(progress, cancel)

        self._jobs.follow("Reading the example", work, self._show)

    def _show(self, read: tuple[Series, Scan]) -> None:
        series, scan = read
        if series not in self._gallery.abnormal:  # it was unmarked meanwhile
            return
        self._close()
        self._view.step_aside()
        shown = self._scans.show_scan(series, scan)
        self._scans.set_caption("")
        self._scans.set_notice(f"Abnormal example {self._gallery.card(series).number}: where is its lesion?")
        over = shown.layer
        self._layer = Shapes(
            ndim=over.ndim, name="Lesion of the example", scale=over.scale, translate=over.translate,
            units=over.units, face_color="transparent", edge_color="red", edge_width=1.5,
            metadata={LESION_KEY: True},
        )  # fmt: skip
        self._viewer.add_layer(self._layer)
        self._layer.mode = "add_polygon_lasso"
        self._shown = shown
        self._gallery.card(series).example.set_marking(series)
        self._gallery.point_out(series)

    def _outline(self, shown: ShownScan) -> Drawn | None:
        """Returns what is drawn in the layer for it, or in the one that is active; None if nothing is."""
        active = self._viewer.layers.selection.active
        layer = active if isinstance(active, Labels | Shapes) else self._layer
        if layer not in self._viewer.layers or (isinstance(layer, Shapes) and not layer.data):
            return None
        drawing = drawing_on(layer, Canvas.of(shown), through=False)
        return Drawn(shown.series, uuid.uuid4().hex, drawing.read)

    def _settle(self, series: Series, lesion: Lesion) -> None:
        self.end()
        self._run_panel.clear_message()
        self._gallery.set_lesion(series, lesion)

    def _close(self) -> None:
        shown, layer = self._shown, self._layer
        self._shown = self._layer = None
        if shown is None:
            return
        self._scans.set_notice("")
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        if shown.series in self._gallery.series:
            self._gallery.card(shown.series).example.set_marking(None)

    def _follow_scan(self) -> None:
        """Another scan is shown, such as that of a result that came."""
        if self._scans.shown is not self._shown:
            self._close()

    def _follow_roles(self) -> None:
        if self._shown is not None and self._shown.series not in self._gallery.abnormal:
            self.end()
