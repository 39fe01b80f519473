"""``d24fad demo``: the main job on a made-up study, shown in napari."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from napari_d24fad.atomic import check_writable
from napari_d24fad.cli.arguments import Parser
from napari_d24fad.cli.display import has_display, virtual_display
from napari_d24fad.cli.exits import CANCELLED
from napari_d24fad.export.notice import NOTICE


def add_options(command: Parser) -> None:
    """Adds the options of ``demo``."""
    command.add_argument(
        "--out", type=Path, default=Path("demo-output"), metavar="DIR", help="default: demo-output"
    )
    command.add_argument(
        "--close", action="store_true", help="close napari when done; without a display it always closes"
    )


def run(arguments: Namespace) -> None:
    """Runs the demonstration, which prints what it finds; napari stays open unless told to close.

    Raises:
        D24fadError: See `run_demo` and `virtual_display`.
        SystemExit: With the status of the process on the virtual display.
    """
    check_writable(arguments.out)
    if not has_display():
        _run_on_virtual_display(arguments)
    _at_ctrl_c(_leave)
    from napari_d24fad.viewer.demo import run_demo  # imports napari, which looks for a display

    run_demo(arguments.out, show=not arguments.close)
    print(f"Written to {arguments.out}")
    print(NOTICE)


def _run_on_virtual_display(arguments: Namespace) -> NoReturn:
    words = ["demo", "--close", "--out", str(arguments.out), *(["--debug"] if arguments.debug else [])]
    with virtual_display() as environment:
        process = subprocess.Popen([sys.executable, "-m", "napari_d24fad", *words], env=environment)
        # The process cancels itself and says so; this one only cleans up after it.
        _at_ctrl_c(lambda number, frame: process.send_signal(signal.SIGINT))
        status = process.wait()
    sys.exit(status)


def _at_ctrl_c(then: Callable[[int, FrameType | None], None]) -> None:
    """Sets what Ctrl-C does, unless it is to do nothing: a shell asks for that in background jobs."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, then)


def _leave(number: int, frame: FrameType | None) -> None:
    """Ends the process at Ctrl-C: an exception cannot pass through Qt's event loop, which would abort."""
    print("Cancelled.", file=sys.stderr, flush=True)
    os._exit(CANCELLED)
