"""Draws thumbnails in the background, each shown as soon as it is there."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QObject, Signal

from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.opening import draw_thumbnails
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.running.workers import Worker


class Previews(QObject):
    """The thumbnails that are still to be drawn."""

    drawn = Signal(object, object)
    """A `Series`, and its thumbnail or the `D24fadError` that says why there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._workers: list[Worker] = []

    @property
    def is_busy(self) -> bool:
        """Whether thumbnails are still to come."""
        return bool(self._workers)

    def draw(self, series: Sequence[Series]) -> None:
        """Starts drawing."""

        def work(progress: Progress, cancel: CancelToken) -> None:
            # A signal emitted in the worker thread reaches its slots in theirs.
            draw_thumbnails(series, self.drawn.emit, cancel)

        worker = Worker(work)
        worker.ended.connect(self._forget_ended)
        self._workers.append(worker)
        worker.start()

    def discard(self) -> None:
        """Stops drawing: nobody looks any more."""
        for worker in self._workers:
            worker.discard()

    def _forget_ended(self) -> None:
        self._workers = [worker for worker in self._workers if not worker.is_over]
