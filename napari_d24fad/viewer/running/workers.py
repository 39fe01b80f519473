"""Runs core functions in threads of their own and brings what they report to the GUI thread."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

from qtpy.compat import isalive
from qtpy.QtCore import QCoreApplication, QObject, QTimer, Signal

from napari_d24fad.errors import Cancelled, Code, D24fadError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.trace import safe_trace

logger = logging.getLogger(__name__)

Work = Callable[[Progress, CancelToken], object]
"""A core function: told where to report progress, and asked to honour a cancel token."""

CANCEL_GRACE_MS = 500
"""How long the GUI waits for cancelled work before it goes on without it."""

_REPORT_INTERVAL = 0.05
_SHUTDOWN_SECONDS = 2.0


class Worker(QObject):
    """One call of a core function in a thread.

    All signals are emitted in the GUI thread. Exactly one of `returned`, `failed` and
    `cancelled` is emitted, and then `ended`.

    A cancel is honoured at once by most work. Work that cannot look at its token (such as the
    import of torch) is let go after `CANCEL_GRACE_MS`: its result is dropped when it comes.
    """

    progressed = Signal(float, str)
    """Fraction done (0 to 1) and the step; at most twenty times a second."""
    handed = Signal(object)
    """What the function handed over before its end, see `hand`."""
    returned = Signal(object)
    """What the function returned."""
    failed = Signal(object)
    """The `D24fadError` that says why there is no result."""
    cancelled = Signal()
    """The user stopped it."""
    ended = Signal()
    """Nothing more will come."""

    _reported = Signal(str, object)
    _running: ClassVar[set[Worker]] = set()
    _stops_with_application: ClassVar[bool] = False

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work
        self._cancel_token = CancelToken()
        self._over = False
        self._last_report = 0.0
        self._thread = threading.Thread(target=self._run, name="d24fad worker", daemon=True)
        self._reported.connect(self._on_reported)

    def start(self) -> None:
        """Starts the thread."""
        application = QCoreApplication.instance()
        if application is not None and not Worker._stops_with_application:
            application.aboutToQuit.connect(stop_all)
            # A script that never entered Qt's event loop does not quit it either; a thread that still
            # computes when the interpreter goes down would abort the process.
            atexit.register(stop_all)
            Worker._stops_with_application = True
        # Held here until the thread is done: a Qt object must not die in another thread.
        Worker._running.add(self)
        self._thread.start()

    def cancel(self) -> None:
        """Asks for the stop; `ended` follows within `CANCEL_GRACE_MS`."""
        if not self._over and not self._cancel_token.cancelled:
            self._cancel_token.cancel()
            QTimer.singleShot(CANCEL_GRACE_MS, self._let_go)

    def hand(self, part: object) -> None:
        """Hands something over before the function ends, which calls this in its thread."""
        self._report("handed", part)

    def discard(self) -> None:
        """Asks for the stop and emits nothing any more: nobody is left to listen."""
        self._over = True
        self._cancel_token.cancel()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self._over

    def _run(self) -> None:
        try:
            self._report("returned", self._work(self._on_progress, self._cancel_token))
        except Cancelled:
            self._report("cancelled", None)
        except D24fadError as error:
            self._report("failed", error)
        except Exception as error:
            logger.debug("unforeseen error in a worker\n%s", safe_trace(error))
            self._report("failed", D24fadError(Code.UNEXPECTED, f"({type(error).__name__})"))
        self._report("done", None)

    def _on_progress(self, fraction: float, step: str) -> None:
        now = time.monotonic()
        if now - self._last_report >= _REPORT_INTERVAL:
            self._last_report = now
            self._report("progressed", (fraction, step))

    def _report(self, kind: str, payload: object) -> None:
        try:
            self._reported.emit(kind, payload)
        except RuntimeError:
            # The application went away and took the Qt half of this object along.
            logger.debug("nobody is left to report to")

    def _on_reported(self, kind: str, payload: Any) -> None:
        if kind == "done":
            Worker._running.discard(self)
        elif self._over:
            return
        elif kind == "progressed":
            if not self._cancel_token.cancelled:
                self.progressed.emit(*payload)
        elif kind == "handed":
            if not self._cancel_token.cancelled:
                self.handed.emit(payload)
        elif kind == "returned" and not self._cancel_token.cancelled:
            self._finish(self.returned, payload)
        elif kind == "failed":
            self._finish(self.failed, payload)
        else:
            self._finish(self.cancelled)

    def _let_go(self) -> None:
        if not self._over:
            self._finish(self.cancelled)

    def _finish(self, signal: Any, *payload: object) -> None:
        self._over = True
        signal.emit(*payload)
        self.ended.emit()


def stop_timer(timer: QTimer) -> None:
    """Stops a timer, if it is still there.

    When the application ends, Qt and Python destroy objects in an order that nobody promises: the end of a
    widget may come after that of the timers it is to stop.
    """
    if isalive(timer):
        timer.stop()


def stop_all() -> None:
    """Cancels every worker and waits for the threads, two seconds at most in all."""
    deadline = time.monotonic() + _SHUTDOWN_SECONDS
    running = list(Worker._running)
    for worker in running:
        worker.discard()
    for worker in running:
        worker._thread.join(max(0.0, deadline - time.monotonic()))
