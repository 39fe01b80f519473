"""``d24fad models``: what is installed, and how it gets there."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_d24fad.cli.arguments import Parser, add_command, add_json
from napari_d24fad.cli.console import progress_bar, table
from napari_d24fad.export.report import as_json
from napari_d24fad.network.files import is_file
from napari_d24fad.network.teacher_weights import download_weights, recognise, weights_installed
from napari_d24fad.network.teachers.catalogue import CATALOGUE, PublishedWeights, published_for
from napari_d24fad.network.zoo import CARD_SUFFIX, WEIGHTS_SUFFIX, InstalledModel, installed_models

SCHEMA = "d24fad-models/1"


def add_options(command: Parser) -> None:
    """Adds the options of ``models``."""
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = add_command(actions, "list", "list the models, and the teachers that others publish")
    add_json(listing)
    download = add_command(actions, "download", "download the published weights of a teacher")
    known = ", ".join(entry.teacher for entry in CATALOGUE if entry.file)
    download.add_argument("teacher", metavar="TEACHER", help=known)
    _add_licence(download)
    importing = add_command(actions, "import", "install a model file, or a teacher's published weights")
    importing.add_argument("file", metavar="FILE", type=Path, help="a .safetensors or a published .pth file")
    importing.add_argument(
        "--teacher",
        metavar="TEACHER",
        help="what published weights are for, if their checksum is not known",
    )
    _add_licence(importing)
    verify = add_command(actions, "verify", "check a model file against its card")
    verify.add_argument("model", metavar="NAME|FILE")
    convert = add_command(actions, "convert", "make a model file of a published D2-4FAD checkpoint")
    convert.add_argument("file", metavar="FILE", type=Path, help="the published .pth")
    convert.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .safetensors file")


def run(arguments: Namespace) -> None:
    """Does what ``d24fad models ACTION`` asks.

    Raises:
        ModelError: See `network.install`, `network.teacher_weights` and `network.convert`.
        ArgumentError: See there.
    """
    {
        "list": _list,
        "download": _download,
        "import": _import,
        "verify": _verify,
        "convert": _convert,
    }[arguments.action](arguments)


def _list(arguments: Namespace) -> None:
    models = installed_models()
    installed = {entry.teacher: weights_installed(entry.teacher) for entry in CATALOGUE}
    if arguments.json:
        listed = [_described(model) for model in models]
        weights = {entry.teacher: installed[entry.teacher] for entry in CATALOGUE if not entry.asks}
        teachers = [
            {
                "name": entry.teacher,
                "licence": entry.licence,
                "terms": entry.terms,
                "megabytes": entry.megabytes,
                "downloads": bool(entry.file),
                "installed": installed[entry.teacher],
            }
            for entry in CATALOGUE
        ]
        found = {"schema": SCHEMA, "models": listed, "imagenet_weights": weights, "teachers": teachers}
        print(as_json(found))
        return
    print(table(["Model", "Teacher", "Scoring", "From", "What it is"], [_row(model) for model in models]))
    print()
    rows = [
        [entry.teacher, entry.title, f"{entry.megabytes} MB", entry.licence, _state(entry, installed)]
        for entry in CATALOGUE
    ]
    print(table(["Teacher", "What it is", "About", "Licence", "Weights"], rows))


def _state(entry: PublishedWeights, installed: dict[str, bool]) -> str:
    if installed[entry.teacher]:
        return "installed"
    return "not installed" if entry.file else "not installed (import only)"


def _add_licence(command: Parser) -> None:
    command.add_argument(
        "--accept-licence", action="store_true", help="accept the licence of the weights, which is shown"
    )


def _accepts(arguments: Namespace, published: PublishedWeights | None) -> bool:
    """Shows the licence of weights, and asks whether it is accepted where somebody can answer."""
    if published is None or not published.asks:
        return False
    print(f"{published.title}: {published.licence}, {published.terms}", file=sys.stderr)
    if arguments.accept_licence:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print("Do you accept this licence? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _described(model: InstalledModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "embedded": model.embedded,
        "card": asdict(model.card) if model.card else None,
        "problem": {"code": model.problem.code.code, "text": str(model.problem)} if model.problem else None,
    }


def _row(model: InstalledModel) -> list[str]:
    origin = "the tool" if model.embedded else "others" if model.is_teacher else "you"
    if model.card is None:
        return [model.name, "-", "-", origin, str(model.problem)]
    return [model.name, model.card.teacher, model.card.scoring, origin, model.card.title]


def _download(arguments: Namespace) -> None:
    here = weights_installed(arguments.teacher)
    accepted = here or _accepts(arguments, published_for(arguments.teacher))
    with progress_bar() as progress:
        download_weights(arguments.teacher, accepted=accepted, progress=progress)
    print(f"The weights of {arguments.teacher} are installed.")


def _import(arguments: Namespace) -> None:
    from napari_d24fad.network.install import import_file  # imports torch

    published = None
    if arguments.teacher:
        published = published_for(arguments.teacher)
    elif arguments.file.suffix not in (WEIGHTS_SUFFIX, CARD_SUFFIX) and is_file(arguments.file):
        published = recognise(arguments.file)
    accepted = _accepts(arguments, published)
    print(f"{import_file(arguments.file, arguments.teacher, accepted=accepted)} is installed.")


def _verify(arguments: Namespace) -> None:
    from napari_d24fad.network.install import verify  # imports torch

    card = verify(arguments.model)
    print(f"{card.name} is intact: SHA-256 {card.sha256}")


def _convert(arguments: Namespace) -> None:
    from napari_d24fad.network.convert import convert  # imports torch

    card = convert(arguments.file, arguments.out)
    print(f"{card.name}: {card.title}. Written.")
