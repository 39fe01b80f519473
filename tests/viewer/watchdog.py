"""Measures how long Qt's event loop stands still: what a user feels as a freeze."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

from qtpy.QtCore import QObject, QTimer

_BEAT_MS = 5
_SEEN_SECONDS = 0.1


class Watchdog(QObject):
    """A heartbeat in the event loop, and a thread that notes what runs while it is missed.

    Used as a context; no figure is asserted by it: under load each step takes longer.

    Attributes:
        steps: Of each step that `step` began: the longest gap in seconds, the most that the thread of the GUI
            computed in one go, which other work on the machine does not lengthen, and where that was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.steps: dict[str, tuple[float, float, str]] = {}
        self._step, self._where, self._last = "start", "", time.perf_counter()
        self._computed = time.thread_time()
        self._main, self._over = threading.get_ident(), threading.Event()
        self._timer = QTimer(self)
        self._timer.setInterval(_BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watchdog:
        self._last, self._computed = time.perf_counter(), time.thread_time()
        self._timer.start()
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.stop()
        self._over.set()
        self._thread.join()

    def step(self, name: str) -> None:
        """Begins a step of the walk."""
        self._beat()
        self._step = name

    def __str__(self) -> str:
        ranked = sorted(self.steps.items(), key=lambda step: -step[1][1])
        return "\n".join(
            f"{1000 * busy:6.0f} ms computing of {1000 * gap:6.0f} ms  {name}  {where}"
            for name, (gap, busy, where) in ranked
        )

    def _beat(self) -> None:
        now, computed = time.perf_counter(), time.thread_time()
        gap, busy = now - self._last, computed - self._computed
        longest, busiest, where = self.steps.get(self._step, (0.0, 0.0, ""))
        if busy > busiest:
            busiest, where = busy, self._where
        self.steps[self._step] = (max(gap, longest), busiest, where)
        self._last, self._computed, self._where = now, computed, ""

    def _look(self) -> None:
        while not self._over.wait(_SEEN_SECONDS / 4):
            if time.perf_counter() - self._last > _SEEN_SECONDS and not self._where:
                self._where = _where(self._main)


def _where(thread: int) -> str:
    """Returns the last lines of this package that a thread is in, and the last of all.

    A frame that is held, however shortly, keeps its painter alive, and Qt may crash: no more is taken of it
    than names and numbers.
    """
    frame, lines = sys._current_frames().get(thread), []
    while frame is not None:
        lines.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    lines.reverse()
    own = [each for each in lines if "d24fad" in each[0]]
    return " < ".join(
        f"{file.rsplit('/', 1)[-1]}:{line} {name}" for file, line, name in [*own[-2:], *lines[-1:]]
    )
