"""Draws a map of a whole scan in the background, the slice that is looked at first."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from napari_d24fad.detection.result import FloatArray
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.viewer.running.workers import Worker

_AT_ONCE = 4
"""Slices that are drawn together: neighbours are compared with mostly the same slices.

More would keep a slice waiting that is then looked at."""


class MapDrawing(QObject):
    """One map that is being drawn, or is done.

    Args:
        values: ``(slices, rows, columns)`` or with the slices along another axis; 0 where nothing is.
        n_slices: How many there are.
        draw: Writes a few slices into the array, given their range along the slice axis and what stops
            it; returns their highest value.

    Attributes:
        values: As given.
    """

    drawn = Signal()
    """More of the map is there; at most twenty times a second, and at its end."""

    def __init__(
        self, values: FloatArray, n_slices: int, draw: Callable[[range, CancelToken], float]
    ) -> None:
        super().__init__()
        self.values = values
        self._draw = draw
        self._missing = set(range(n_slices))
        self._wanted = 0
        self._highest = 0.0
        self._worker: Worker | None = None

    @property
    def is_busy(self) -> bool:
        """Whether more is to come."""
        return self._worker is not None and not self._worker.is_over

    @property
    def highest(self) -> float:
        """The highest value so far."""
        return self._highest

    def start(self, wanted: int) -> None:
        """Starts with one slice and goes on with those next to it."""
        self._wanted = wanted
        self._worker = Worker(self._work)
        self._worker.progressed.connect(self.drawn)
        self._worker.returned.connect(self.drawn)
        self._worker.start()

    def draw_now(self, slice_index: int) -> None:
        """Draws a slice in this thread, unless it was drawn; only for what takes a moment."""
        if slice_index in self._missing:
            self._draw(range(slice_index, slice_index + 1), CancelToken())

    def want(self, slice_index: int) -> None:
        """Goes on with this slice."""
        self._wanted = slice_index

    def discard(self) -> None:
        """Stops; nothing more is told."""
        if self._worker is not None:
            self._worker.discard()

    def _work(self, progress: Progress, cancel: CancelToken) -> None:
        total = len(self._missing)
        while self._missing:
            cancel.check()
            chosen = self._next()
            self._highest = max(self._highest, self._draw(chosen, cancel))
            self._missing.difference_update(chosen)
            progress(1 - len(self._missing) / total, "Drawing the map")

    def _next(self) -> range:
        """The slice that is looked at, alone; once it is there, those nearest to it."""
        wanted = self._wanted
        low = min(self._missing, key=lambda index: abs(index - wanted))
        high = low + 1
        while low != wanted and high - low < _AT_ONCE and {low - 1, high} & self._missing:
            low, high = (low - 1, high) if low - 1 in self._missing else (low, high + 1)
        return range(low, high)
