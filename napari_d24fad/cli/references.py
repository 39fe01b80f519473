"""``d24fad references``: named reference sets, saved once and used again, here or elsewhere."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from napari_d24fad.cli.arguments import Parser, add_command, add_device
from napari_d24fad.cli.console import progress_bar, table, warn
from napari_d24fad.cli.sources import open_references
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.network.zoo import find_model
from napari_d24fad.session.request import Request


def add_options(command: Parser) -> None:
    """Adds the actions of ``references`` and their options."""
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)
    save = add_command(actions, "save", "measure normal scans and save them as a set")
    save.add_argument("name", metavar="NAME", help="what to call it, such as 'normal head CT, 8 scans'")
    save.add_argument(
        "--reference", metavar="PATH", nargs="+", action="extend", default=[], type=Path, help="normal scans"
    )
    save.add_argument("--model", default="compact", metavar="NAME|FILE", help="default: compact")
    save.add_argument(
        "--out", type=Path, metavar="FILE", help="the file, to be passed on (default: one in your own folder)"
    )
    add_device(save)
    add_command(actions, "list", "list the sets in your own folder")


def run(arguments: Namespace) -> None:
    """Does the action.

    Raises:
        D24fadError: Why it cannot be done.
    """
    from napari_d24fad.session.saved.reference_sets import (  # imports torch
        list_reference_sets,
        save_reference_set,
    )

    if arguments.action == "list":
        rows = [[each.name, str(len(each.labels)), each.labels[0]] for each in list_reference_sets()]
        print(table(["Name", "Scans", "First"], rows))
        return
    if arguments.out is not None and arguments.out.exists():
        raise ExportError(Code.FILE_IS_THERE)
    if arguments.out is None and any(each.name == arguments.name for each in list_reference_sets()):
        raise ExportError(Code.FILE_IS_THERE, "It is a reference set.")
    find_model(arguments.model)
    references, problems = open_references(arguments.reference)
    for problem in problems:
        warn(str(problem))
    request = Request(references[0], references, arguments.model, arguments.device)
    with progress_bar() as progress:
        save_reference_set(arguments.name, request, arguments.out, progress)
    print("The reference set was saved. It holds small pictures of the scans: pass it on as you would them.")
