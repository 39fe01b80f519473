"""Keeps tests, and the processes they start, out of the home of whoever runs them."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import platformdirs

_VARIABLE = "D24FAD_TESTS_HOME"
"""The home of this run: made by its first process and used by those it starts."""

_REAL_VARIABLE = "D24FAD_TESTS_REAL_FOLDERS"
"""Where programs keep what belongs to the user; the whole home may hold the checkout too."""

written: list[str] = []
"""What this process wrote to a folder of the user, or tried to."""

_made: Path | None = None
_real: tuple[str, ...] = ()


def isolate() -> None:
    """Moves the home, with all caches and settings, for this process and those it starts."""
    global _made, _real
    if _VARIABLE not in os.environ:
        kinds = ("cache", "config", "data", "state")
        folders = [str(getattr(platformdirs, f"user_{kind}_path")()) for kind in kinds]
        os.environ[_REAL_VARIABLE] = os.pathsep.join(folders)
        _made = Path(tempfile.mkdtemp(prefix="d24fad-tests-"))
        os.environ[_VARIABLE] = str(_made)
        authority = Path.home() / ".Xauthority"
        if authority.exists():  # else a display of one's own would be lost with the home
            os.environ.setdefault("XAUTHORITY", str(authority))
    home = home_of_tests()
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(home)
    for name in ("CACHE", "CONFIG", "DATA", "STATE"):
        os.environ[f"XDG_{name}_HOME"] = str(home / name.lower())
    os.environ["NAPARI_CONFIG"] = str(home / "config" / "napari.yaml")
    os.environ["MPLCONFIGDIR"] = str(home / "matplotlib")
    _real = real_folders()
    sys.addaudithook(_watch)


def home_of_tests() -> Path:
    """Returns the home that tests have."""
    return Path(os.environ[_VARIABLE])


def real_folders() -> tuple[str, ...]:
    """Returns where programs keep what belongs to the user who runs the tests."""
    return tuple(os.environ[_REAL_VARIABLE].split(os.pathsep))


def clean() -> None:
    """Removes the home of the tests, in the process that made it."""
    if _made is not None:
        shutil.rmtree(_made, ignore_errors=True)


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        path, _, flags = arguments
        if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
    elif event in ("os.mkdir", "sqlite3.connect"):
        path = arguments[0]
    elif event == "os.rename":
        path = arguments[1]
    else:
        return
    if isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(_real):
        written.append(os.fsdecode(path))
