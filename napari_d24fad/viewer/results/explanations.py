"""Computes explanations of slices in the background, for the slice the viewer rests at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Union

from qtpy.QtCore import QObject, QTimer, Signal

from napari_d24fad.errors import D24fadError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination
from napari_d24fad.viewer.running.workers import Worker, stop_timer

if TYPE_CHECKING:
    from napari_d24fad.detection.explain import Explanation
    from napari_d24fad.session.places import PlaceExplanation, PlaceWish

DEBOUNCE_MS = 150
"""The slider must rest this long: nobody looks at the slices it passes."""

_KEPT = 64

Wish = Union[int, "PlaceWish"]
"""A slice, along the slice axis of the scan, or a place in one."""

Told = Union["Explanation", "PlaceExplanation"]

Explain = Callable[[Examination, Wish, CancelToken], Told]


class Explanations(QObject):
    """The explanation that is wanted now; a new wish replaces the one before.

    Args:
        explain: Explains a slice or a place of an examination; called in a worker thread.
    """

    started = Signal()
    """One is being computed."""
    explained = Signal(object)
    """The `Explanation` or `PlaceExplanation` that was wanted."""
    failed = Signal(object)
    """The `D24fadError` that says why there is none."""
    cancelled = Signal()
    """It was stopped, or what it would be made from is gone."""

    def __init__(self, explain: Explain) -> None:
        super().__init__()
        self._explain = explain
        self._worker: Worker | None = None
        self._wanted: tuple[Examination, Wish] | None = None
        self._kept: dict[tuple[Examination, Wish], Told] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._start)

    @property
    def is_busy(self) -> bool:
        """Whether an explanation is to come."""
        return self._worker is not None or self._timer.isActive()

    def want(self, examination: Examination, wish: Wish) -> None:
        """Asks for a slice or a place; `explained` follows, at once if it was explained before.

        Args:
            examination: The examination it belongs to.
            wish: What to explain.
        """
        if self.is_busy and self._wanted == (examination, wish):
            return
        self._stop()
        self._wanted = (examination, wish)
        kept = self._kept.get(self._wanted)
        if kept is not None:
            self.explained.emit(kept)
        else:
            self._timer.start()

    def cancel(self) -> None:
        """Stops what is computed, if anything is."""
        if self.is_busy:
            self.discard()
            self.cancelled.emit()

    def discard(self) -> None:
        """Stops without a word: nobody looks any more."""
        self._stop()
        self._wanted = None

    def _stop(self) -> None:
        stop_timer(self._timer)
        if self._worker is not None:
            self._worker.discard()
            self._worker = None

    def _start(self) -> None:
        if self._wanted is None:
            return
        examination, wish = self._wanted

        def work(progress: Progress, cancel: CancelToken) -> Told:
            return self._explain(examination, wish, cancel)

        self._worker = Worker(work)
        self._worker.returned.connect(self._keep)
        self._worker.failed.connect(self._fail)
        self._worker.cancelled.connect(self._drop)
        self._worker.start()
        self.started.emit()

    def _keep(self, explanation: Told) -> None:
        self._worker = None
        if self._wanted is not None:
            # Earlier findings are of no use any more.
            self._kept = {key: kept for key, kept in self._kept.items() if key[0] is self._wanted[0]}
            self._kept[self._wanted] = explanation
            while len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        self.explained.emit(explanation)

    def _fail(self, error: D24fadError) -> None:
        self._worker = None
        self.failed.emit(error)

    def _drop(self) -> None:
        self._worker = None
        self.cancelled.emit()
