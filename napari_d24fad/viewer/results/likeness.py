"""Asks which abnormal example the scan is like and by which places, and shows it where *Why* is unfolded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_d24fad.errors import D24fadError
from napari_d24fad.export.anatomy import slice_number
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination
from napari_d24fad.viewer.results.example_panel import ExamplePanel
from napari_d24fad.viewer.running.workers import Worker

if TYPE_CHECKING:
    from napari_d24fad.session.alike import Alike


class Likeness(QObject):
    """The place of the examination that is like an example; worked out once for each examination.

    Args:
        panel: Shows it.
    """

    def __init__(self, panel: ExamplePanel) -> None:
        super().__init__()
        self._panel = panel
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

    def _show(self, alike: Alike) -> None:
        self._worker = None
        examination = self._told_of
        if examination is None:
            return
        example = examination.request.abnormal[alike.example_index].series.outline
        self._panel.show_places(
            alike,
            f"{slice_number(examination.scan, alike.query.slice_index)}"
            if examination.scan.is_volume
            else "",
            f"{slice_number(example, alike.example.slice_index)}" if example.is_volume else "",
        )

    def _show_failure(self, error: D24fadError) -> None:
        self._worker = None
        self._panel.say(str(error))
