"""A display for napari: the one there is, or a virtual one for the time of a command."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from napari_d24fad.errors import ArgumentError, Code

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_SCREEN = "1600x1000x24"  # napari draws with OpenGL, which needs a true-colour screen


def has_display() -> bool:
    """Returns whether windows can be shown. Only Linux can be without a display server."""
    return not sys.platform.startswith("linux") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


@contextmanager
def virtual_display() -> Iterator[dict[str, str]]:
    """Starts Xvfb on a free display number, and stops it afterwards.

    Yields:
        The environment of a process that shows its windows there. A process of its own, because
        Qt holds its connection until the very end, and dies if the server goes first.

    Raises:
        ArgumentError: ``NO_DISPLAY`` if it is not installed or does not start.
    """
    if shutil.which("Xvfb") is None:
        raise ArgumentError(Code.NO_DISPLAY, "Xvfb is not installed.")
    reading, writing = os.pipe()
    try:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp"],
            pass_fds=[writing],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # A session of its own: Ctrl-C does not reach it, so the windows close before it ends.
            # PyVirtualDisplay 3.0 has no such way, and kills it, which leaves its socket behind.
            start_new_session=True,
        )
    except OSError as error:
        os.close(reading)
        raise ArgumentError(Code.NO_DISPLAY, "Xvfb cannot be run.") from error
    finally:
        os.close(writing)
    try:
        # Qt could be set to another platform than X11, and then could not draw with OpenGL.
        yield os.environ | {"DISPLAY": f":{_display_number(reading)}", "QT_QPA_PLATFORM": "xcb"}
    finally:
        os.close(reading)
        _stop(server)


def _display_number(reading: int) -> int:
    """Waits until the server tells its number, which it does when it is ready."""
    ready, _, _ = select.select([reading], [], [], _START_SECONDS)
    told = os.read(reading, 32).strip() if ready else b""
    if not told.isdigit():
        raise ArgumentError(Code.NO_DISPLAY, "Xvfb did not start.")
    return int(told)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
