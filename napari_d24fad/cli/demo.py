"""``d24fad demo``: the main job on a made-up study, shown in napari."""

from __future__ import annotations

from argparse import Namespace
from contextlib import nullcontext

from napari_d24fad.cli.display import has_display, virtual_display
from napari_d24fad.export.atomic import check_writable
from napari_d24fad.export.notice import NOTICE


def run(arguments: Namespace) -> None:
    """Runs the demonstration, which prints what it finds; with a display, napari stays open.

    Raises:
        D24fadError: See `run_demo` and `virtual_display`.
    """
    check_writable(arguments.out)
    show = has_display()
    with nullcontext() if show else virtual_display():
        from napari_d24fad.viewer.demo import run_demo  # imports napari, which looks for a display

        run_demo(arguments.out, show=show)
    print(f"Written to {arguments.out}")
    print(NOTICE)
