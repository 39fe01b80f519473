"""Temporary folders that go away with what needs them, or at the next start if the process was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import weakref
from pathlib import Path
from typing import IO

if sys.platform != "win32":  # where an open file cannot be removed, which serves as well
    import fcntl

_PREFIX = "d24fad-scratch-"
_LOCK = ".lock"


class ScratchFolder:
    """A temporary folder that only this user may look into.

    It is removed when the object is, when the program ends, or, after a kill, when the next
    one is made.

    Args:
        of: The archive that is unpacked to it, if it is one.

    Attributes:
        path: The folder.
        of: See above; never shown or logged.
        names: Where the files of the archive are, by the names that they have in it; never shown or logged.
    """

    def __init__(self, of: Path | None = None) -> None:
        self.of = of
        self.names: dict[str, Path] = {}
        _remove_abandoned()
        self.path, lock = _made()
        self._remove = weakref.finalize(self, _remove, self.path, lock, os.getpid())

    def remove(self) -> None:
        """Removes the folder with everything in it, now."""
        self._remove()


def _made() -> tuple[Path, IO[bytes]]:
    """Makes a folder and takes its lock; another one where it was taken for abandoned in between."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with contextlib.suppress(FileNotFoundError, BlockingIOError), contextlib.ExitStack() as stack:
            lock = stack.enter_context((folder / _LOCK).open("wb"))
            _hold(lock)
            if (folder / _LOCK).exists():  # it was not removed before, and cannot be from here on
                stack.pop_all()
                return folder, lock


def _remove(folder: Path, lock: IO[bytes], owner: int) -> None:
    lock.close()
    if os.getpid() != owner:  # a process forked off, which has a copy of the object
        return
    shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned() -> None:
    """Removes folders whose process was killed: nobody holds their locks."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        lock = folder / _LOCK
        with contextlib.suppress(OSError):
            with lock.open("r+b") as file:
                _hold(file)
                if sys.platform != "win32":
                    shutil.rmtree(folder, ignore_errors=True)
            if sys.platform == "win32":
                lock.unlink()
                shutil.rmtree(folder, ignore_errors=True)


def _hold(lock: IO[bytes]) -> None:
    """Takes a lock; the system gives it back when the process ends, in whatever way.

    Raises:
        OSError: If another process holds it.
    """
    if sys.platform != "win32":
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
