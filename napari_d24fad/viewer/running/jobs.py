"""Runs one job at a time and shows it in the run panel and in napari's activity dock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.utils import progress as ActivityBar  # noqa: N812 - a class with a small name
from qtpy.QtCore import QObject, QTimer, Signal

from napari_d24fad.errors import D24fadError
from napari_d24fad.viewer.running.run_panel import RunPanel
from napari_d24fad.viewer.running.workers import Work, Worker, stop_timer

_PERCENT = 100
_ACTIVITY_MS = 200


class Jobs(QObject):
    """The job that the user waits for, if there is one."""

    failed = Signal(object)
    """The `D24fadError` of a job that failed; the panel shows it already."""
    ended = Signal()
    """Nothing runs any more, however it went."""

    def __init__(self, panel: RunPanel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._worker: Worker | None = None
        self._on_result: Callable[[Any], None] | None = None
        self._waiting: list[tuple[str, Work, Callable[[Any], None]]] = []
        self._activity: Any = None
        self._progress = (0.0, "")
        self._described = ""
        # napari's bar lets other events in while it is drawn. Drawn from a timer, it cannot do so
        # in the middle of a worker's report, where the worker could end and be destroyed.
        self._timer = QTimer(self)
        self._timer.setInterval(_ACTIVITY_MS)
        self._timer.timeout.connect(self._draw_activity)

    @property
    def is_busy(self) -> bool:
        """Whether a job runs."""
        return self._worker is not None

    def start(self, step: str, work: Work, on_result: Callable[[Any], None]) -> bool:
        """Starts a job unless one runs.

        Args:
            step: What to say until the job reports.
            work: The core function, for a worker thread.
            on_result: Given what it returned, in the GUI thread.

        Returns:
            Whether it was started.
        """
        if self.is_busy:
            return False
        self._on_result = on_result
        self._worker = Worker(work)
        self._worker.progressed.connect(self._show_progress)
        self._worker.returned.connect(self._hand_over)
        self._worker.failed.connect(self._show_failure)
        self._worker.cancelled.connect(self._show_cancelled)
        self._worker.ended.connect(self._end)
        self._panel.clear_message()
        self._panel.set_busy(step)
        self._progress = (0.0, step)
        self._described = step
        self._close_activity()
        self._activity = ActivityBar(total=_PERCENT, desc=step)
        self._timer.start()
        self._worker.start()
        return True

    def follow(self, step: str, work: Work, on_result: Callable[[Any], None]) -> None:
        """Starts a job, as `start` does, as soon as none runs: what the user asked for is not lost."""
        if not self.start(step, work, on_result):
            self._waiting.append((step, work, on_result))
            self._panel.show_note(f"{step}: as soon as what runs now has ended.")

    def cancel(self) -> None:
        """Stops the job, if one runs; `ended` follows within a second."""
        if self._worker is not None:
            self._panel.set_busy("Stopping")
            self._worker.cancel()

    def discard(self) -> None:
        """Stops the job, and what waits for it, without a word: the widget is going away."""
        self._waiting.clear()
        if self._worker is not None:
            self._worker.discard()
        self._close_activity()

    def _show_progress(self, fraction: float, step: str) -> None:
        self._panel.set_busy(step, fraction=fraction)
        self._progress = (fraction, step)

    def _draw_activity(self) -> None:
        bar = self._activity
        if self._worker is None:
            self._close_activity()
            return
        fraction, step = self._progress
        # Only what changed: without a graphics card each drawing paints the whole window.
        more = int(fraction * _PERCENT) - bar.n
        if more > 0:
            bar.update(more)
        if step != self._described and bar is self._activity:  # it may have been closed meanwhile
            self._described = step
            bar.set_description(step)

    def _hand_over(self, result: object) -> None:
        if self._on_result is not None:
            self._on_result(result)

    def _show_failure(self, error: D24fadError) -> None:
        self._panel.show_error(str(error))
        self.failed.emit(error)

    def _show_cancelled(self) -> None:
        self._panel.show_note("Stopped.")

    def _end(self) -> None:
        self._worker, self._on_result = None, None
        self._panel.set_idle()
        self.ended.emit()
        if self._waiting and not self.is_busy:
            self.start(*self._waiting.pop(0))

    def _close_activity(self) -> None:
        stop_timer(self._timer)
        if self._activity is not None:
            self._activity.close()
            self._activity = None
