"""Writes a copy of the work in the background, and finds those of programs that ended before they saved."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.saved.autosave import Autosave, left_behind
from napari_d24fad.viewer.running.workers import Worker, stop_timer

EVERY_MS = 60_000

Write = Callable[[Autosave, CancelToken], None]
"""Writes what there is now; called in a worker thread."""


class Autosaving(QObject):
    """One copy, written every minute while there is something new; one at a time.

    It knows nothing of what it writes: `due` asks for that.
    """

    due = Signal()
    """A copy is due: `write` is to be called if there is something new."""
    failed = Signal(object)
    """The `D24fadError` that keeps a copy from being written; the one before stays."""
    written = Signal()
    """A copy is on the disk."""
    found = Signal(object)
    """The `Path` of each copy that was left behind, the latest first."""

    def __init__(self) -> None:
        super().__init__()
        self._copy = Autosave()
        self._worker: Worker | None = None
        self._next: Write | None = None
        self._is_over, self._is_enabled = False, True
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.due)
        self._timer.start()

    @property
    def is_busy(self) -> bool:
        """Whether a copy is being written."""
        return self._worker is not None

    def look_for_copies(self) -> None:
        """Looks for what was left behind; `found` follows if there is any."""
        searching = Worker(lambda progress, cancel: left_behind())
        searching.returned.connect(self._tell_found)
        searching.start()

    def write(self, write: Write) -> None:
        """Writes a copy in a worker; while one is being written, the last that is asked for waits."""
        if self._is_over or not self._is_enabled:
            return
        if self._worker is not None:
            self._next = write
            return
        self._worker = Worker(partial(_write, self._copy, write))
        self._worker.returned.connect(lambda _: self.written.emit())
        self._worker.failed.connect(self.failed)
        self._worker.ended.connect(self._go_on)
        self._worker.start()

    def set_enabled(self, enabled: bool) -> None:
        """Writes copies, or none from now on, and removes the one there is."""
        self._is_enabled = enabled
        if not enabled:
            self.forget()

    def forget(self) -> None:
        """Removes the copy: the work is saved."""
        self._next = None
        self._copy.discard()

    def discard(self) -> None:
        """Ends, and removes the copy: the viewer is closed as its user wants it."""
        self._is_over, self._next = True, None
        stop_timer(self._timer)
        if self._worker is not None:
            self._worker.discard()
        self._copy.discard()

    def _go_on(self) -> None:
        self._worker = None
        if self._next is not None:
            write, self._next = self._next, None
            self.write(write)

    def _tell_found(self, copies: tuple[Path, ...]) -> None:
        if copies and not self._is_over:
            self.found.emit(copies)


def _write(copy: Autosave, write: Write, progress: Progress, cancel: CancelToken) -> None:
    write(copy, cancel)
    if cancel.cancelled:  # the viewer was closed meanwhile, and removed it before it was there
        copy.discard()
