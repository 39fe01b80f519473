"""Runs one job at a time and shows it in the run panel and in napari's activity dock."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_d24fad.errors import D24fadError
from napari_d24fad.viewer.running.activity import Activity
from napari_d24fad.viewer.running.run_panel import RunPanel
from napari_d24fad.viewer.running.workers import Work, Worker


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
        self._waiting: list[Callable[[], object]] = []
        self._activity = Activity(self.cancel)

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
        self._activity.open(step)
        self._worker.start()
        return True

    def follow(self, step: str, work: Work, on_result: Callable[[Any], None]) -> None:
        """Starts a job, as `start` does, as soon as none runs: what the user asked for is not lost."""
        self.when_idle(step, partial(self.start, step, work, on_result))

    def when_idle(self, step: str, act: Callable[[], object]) -> None:
        """Does something at once, or as soon as no job runs, with what is there then.

        Args:
            step: What to say meanwhile.
            act: Called in the GUI thread.
        """
        if not self.is_busy:
            act()
            return
        self._waiting.append(act)
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
        self._activity.close()

    def _show_progress(self, fraction: float, step: str) -> None:
        self._panel.set_busy(step, fraction=fraction)
        self._activity.tell(fraction, step)

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
        self._activity.end()
        self._panel.set_idle()
        self.ended.emit()
        if self._waiting and not self.is_busy:
            self._waiting.pop(0)()
