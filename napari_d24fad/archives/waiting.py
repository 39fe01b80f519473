"""Waits for a call that cannot be asked to stop, and goes on without it when the user wants to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from napari_d24fad.errors import ArchiveError, Code
from napari_d24fad.progress import CancelToken

POLL_SECONDS = 0.1
_Result = TypeVar("_Result")


def patiently(
    call: Callable[[], _Result],
    cancel: CancelToken,
    seconds: float,
    drop: Callable[[_Result], object] = lambda result: None,
) -> _Result:
    """Returns what a call returns, which runs in a thread of its own.

    Args:
        call: May block on a peer that says nothing; it must end by itself at last.
        cancel: Ends the waiting within a fraction of a second.
        seconds: How long to wait at most.
        drop: Given what the call returns when nobody waits for it any more.

    Raises:
        ArchiveError: ``STALLED`` after that time.
        Cancelled: If asked to stop.
        BaseException: What the call raises.
    """
    returned: list[_Result] = []
    raised: list[BaseException] = []
    lock, left = threading.Lock(), threading.Event()

    def run() -> None:
        try:
            result = call()
            with lock:
                if not left.is_set():
                    returned.append(result)
                    return
            drop(result)
        except BaseException as error:  # handed over to the thread that waits
            raised.append(error)

    thread = threading.Thread(target=run, name="d24fad archive", daemon=True)
    thread.start()
    deadline = time.monotonic() + seconds
    try:
        while thread.is_alive():
            thread.join(POLL_SECONDS)
            cancel.check()
            if thread.is_alive() and time.monotonic() > deadline:
                raise ArchiveError(Code.STALLED)
    except BaseException:
        with lock:
            left.set()
            for result in returned:
                drop(result)
        raise
    if raised:
        raise raised[0]
    return returned[0]


class Watch:
    """Counts what comes of a peer in another thread, and calls a halt when it is too much or too slow.

    Args:
        cancel: A halt is called when it is asked for, too.
        halt: Ends the connection.
        allowed: Bytes in all.
        at_once: Bytes of one image.
        silence: Seconds without a byte.
        slowest: See `limits.Bounds`.

    Attributes:
        problem: Why a halt was called; None as long as none was.
    """

    def __init__(
        self,
        cancel: CancelToken,
        halt: Callable[[], Any],
        *,
        allowed: int,
        at_once: int,
        silence: float,
        slowest: float,
    ) -> None:
        self._cancel, self._halt = cancel, halt
        self._allowed, self._at_once = allowed, at_once
        self._silence, self._slowest = silence, slowest
        self.problem: ArchiveError | None = None
        self._began = self._last = time.monotonic()
        self._read = self._of_image = 0
        self._over = threading.Event()

    def __enter__(self) -> Watch:
        threading.Thread(target=self._run, name="d24fad archive watch", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()

    def saw(self, size: int) -> None:
        """So many bytes have come."""
        self._last = time.monotonic()
        self._read += size
        self._of_image += size

    def saw_image(self) -> None:
        """What came since the last one was an image."""
        self._of_image = 0

    def _run(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            self.problem = self._found()
            if self.problem is not None or self._cancel.cancelled:
                self._halt()
                return

    def _found(self) -> ArchiveError | None:
        if self._read > self._allowed or self._of_image > self._at_once:
            return ArchiveError(Code.TOO_MUCH)
        now = time.monotonic()
        seconds = now - self._began
        warm = seconds > min(60.0, 2 * self._silence)
        if now - self._last > self._silence or (warm and self._read < self._slowest * seconds):
            return ArchiveError(Code.STALLED)
        return None
