"""A copy of the work that is not saved yet, for the case that the program ends before it is."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from napari_d24fad.progress import CancelToken
from napari_d24fad.session.saved.case import Case, Marked
from napari_d24fad.session.saved.file import SUFFIX
from napari_d24fad.session.saved.hashes import ContentHashes
from napari_d24fad.session.saved.session_file import save_session
from napari_d24fad.settings import autosave_folder
from napari_d24fad.staging import is_written, machine_name

_NAME = re.compile(rf"([0-9a-f]{{8}})-(\d+)-[0-9a-f]{{8}}{re.escape(SUFFIX)}")


class Autosave:
    """Keeps one copy, in a folder of the user that only this user may read.

    Its methods are meant for a worker thread; the first copy reads the files of all scans once, to tell them
    again by what they hold.
    """

    def __init__(self) -> None:
        name = f"{machine_name()}-{os.getpid()}-{uuid.uuid4().hex[:8]}{SUFFIX}"
        self._path = autosave_folder() / name
        self._hashes = ContentHashes()

    def save(
        self,
        cases: Iterable[Case],
        marked: Marked | None = None,
        *,
        shown: int = 0,
        cancel: CancelToken | None = None,
    ) -> None:
        """Writes the copy anew; an older one stays if that fails.

        Raises:
            ExportError: ``CANNOT_WRITE`` if the system refuses, such as on a full disk.
            Cancelled: If a stop was asked for.
        """
        save_session(
            cases, self._path, marked=marked, shown=shown, hashes=self._hashes, private=True, cancel=cancel
        )

    def discard(self) -> None:
        """Removes the copy: the work is saved, or not wanted."""
        discard(self._path)


def left_behind() -> tuple[Path, ...]:
    """Returns the copies of programs that ended without saving, the latest first."""
    found = []
    with suppress(OSError):  # there may be no such folder
        for path in autosave_folder().iterdir():
            name = _NAME.fullmatch(path.name)
            with suppress(OSError):
                written = path.stat().st_mtime
                if name and not is_written(name[1], int(name[2]), written):
                    found.append((written, path))
    return tuple(path for _, path in sorted(found, reverse=True))


def discard(path: Path) -> None:
    """Removes a copy, as far as the system lets us."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
