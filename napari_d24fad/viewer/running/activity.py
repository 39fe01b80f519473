"""A bar in napari's activity dock, with a button that cancels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.utils import cancelable_progress
from qtpy.QtCore import QObject, QTimer

from napari_d24fad.viewer.running.workers import stop_timer

_PERCENT = 100
_INTERVAL_MS = 200


class Activity(QObject):
    """One bar at a time.

    napari's bar lets other events in while it is drawn. Drawn from a timer, it cannot do so in the middle of
    a worker's report, where the worker could end and be destroyed.

    Args:
        cancel: Called when the user presses the button of the bar.
    """

    def __init__(self, cancel: Callable[[], None]) -> None:
        super().__init__()
        self._cancel = cancel
        self._bar: Any = None
        self._progress = (0.0, "")
        self._described, self._is_over = "", False
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.timeout.connect(self._draw)

    def open(self, step: str) -> None:
        """Shows a new bar in place of an earlier one."""
        self.close()
        self._progress, self._described, self._is_over = (0.0, step), step, False
        self._bar = cancelable_progress(total=_PERCENT, desc=step)
        self._timer.start()

    def tell(self, fraction: float, step: str) -> None:
        """Shows soon how far it is, 0 to 1, and with what."""
        self._progress = (fraction, step)

    def end(self) -> None:
        """Takes the bar away soon."""
        self._is_over = True

    def close(self) -> None:
        """Takes the bar away now."""
        stop_timer(self._timer)
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _draw(self) -> None:
        bar = self._bar
        if bar is None or self._is_over:
            self.close()
            return
        if bar.is_canceled:
            bar.is_canceled = False  # once
            self._cancel()
            return
        fraction, step = self._progress
        # Only what changed: without a graphics card each drawing paints the whole window.
        more = int(fraction * _PERCENT) - bar.n
        if more > 0:
            bar.update(more)
        if step != self._described and bar is self._bar:  # it may have been closed meanwhile
            self._described = step
            bar.set_description(step)
