"""Asks which abnormal example the scan is like and by which places, and shows it where *Why* is unfolded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_d24fad.errors import D24fadError
from napari_d24fad.export.anatomy import slice_number
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination
from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.results.example_panel import ExamplePanel
from napari_d24fad.viewer.running.workers import Worker

if TYPE_CHECKING:
    from napari_d24fad.session.alike import Alike


class Likeness(QObject):
    """The place of the examination that is like an example; worked out once for each examination.

    Args:
        panel: Shows it.
        scans: The scan on the canvas.
        maps: What lies over it.
    """

    def __init__(self, panel: ExamplePanel, scans: ScanLayers, maps: ResultLayers) -> None:
        super().__init__()
        self._panel, self._scans, self._maps = panel, scans, maps
        panel.place_requested.connect(self._go_there)
        self._worker: Worker | None = None
        self._told_of: Examination | None = None

    @property
    def is_busy(self) -> bool:
        """Whether pictures are still to come."""
        return self._worker is not None

    def look_at(self, examination: Examination) -> None:
        """Shows what an examination is like, unless that is shown or on its way."""
        if self._told_of is examination:
            return
        self.discard()
        self._told_of = examination
        evidence = examination.anomaly.examples
        if evidence is None or evidence.place is None or not evidence.alike:
            self._panel.hide()
            return

        def work(progress: Progress, cancel: CancelToken) -> Alike:
            from napari_d24fad.session.alike import most_like  # imports scipy

            return most_like(examination, cancel)

        self._worker = Worker(work)
        self._worker.returned.connect(self._show)
        self._worker.failed.connect(self._show_failure)
        self._worker.start()

    def discard(self) -> None:
        """Stops what is computed: nobody looks any more."""
        if self._worker is not None:
            self._worker.discard()
        self._worker = self._told_of = None

    def _go_there(self) -> None:
        examination, shown = self._told_of, self._scans.shown
        if examination is None or shown is None or shown.scan is not examination.scan:
            return
        evidence = examination.anomaly.examples
        if evidence is None or evidence.place is None:
            return
        self._scans.go_to(evidence.place.centre)
        self._maps.mark(evidence.place.centre, f"Most like example {evidence.nearest + 1}")

    def _show(self, alike: Alike) -> None:
        self._worker = None
        examination = self._told_of
        if examination is None:
            return
        marked = examination.request.abnormal[alike.example_index]
        example = marked.series.outline
        self._panel.show_places(
            alike,
            f"{slice_number(examination.scan, alike.query.slice_index)}"
            if examination.scan.is_volume
            else "",
            f"{slice_number(example, alike.example.slice_index)}" if example.is_volume else "",
            lesion_known=marked.lesion is not None,
        )

    def _show_failure(self, error: D24fadError) -> None:
        self._worker = None
        self._panel.say(str(error))
