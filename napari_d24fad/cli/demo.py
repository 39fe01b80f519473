"""``d24fad demo``: the main job on a made-up study, shown in napari."""

from __future__ import annotations

import os
import signal
import sys
from argparse import Namespace
from contextlib import ExitStack

from napari_d24fad.cli.display import has_display, virtual_display
from napari_d24fad.cli.exits import CANCELLED
from napari_d24fad.export.atomic import check_writable
from napari_d24fad.export.notice import NOTICE


def run(arguments: Namespace) -> None:
    """Runs the demonstration, which prints what it finds; with a display, napari stays open.

    Raises:
        D24fadError: See `run_demo` and `virtual_display`.
    """
    check_writable(arguments.out)
    show = has_display()
    with ExitStack() as display:
        if not show:
            display.enter_context(virtual_display())
        signal.signal(signal.SIGINT, lambda *_: _leave(display))
        from napari_d24fad.viewer.demo import run_demo  # imports napari, which looks for a display

        run_demo(arguments.out, show=show)
    print(f"Written to {arguments.out}")
    print(NOTICE)


def _leave(display: ExitStack) -> None:
    """Ends the process at Ctrl-C: an exception cannot pass through Qt's event loop, which would abort."""
    display.close()
    print("Cancelled.", file=sys.stderr, flush=True)
    os._exit(CANCELLED)
