"""``d24fad models``: what is installed, and how it gets there."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_d24fad.cli.arguments import Parser, add_command, add_json
from napari_d24fad.cli.console import progress_bar, table
from napari_d24fad.export.report import as_json
from napari_d24fad.network.imagenet import (
    CATALOGUE,
    download_imagenet_weights,
    imagenet_weights_installed,
)
from napari_d24fad.network.zoo import InstalledModel, installed_models

SCHEMA = "d24fad-models/1"


def add_options(command: Parser) -> None:
    """Adds the options of ``models``."""
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = add_command(actions, "list", "list the models and ImageNet weights that are installed")
    add_json(listing)
    download = add_command(actions, "download", "download the ImageNet weights of a teacher")
    download.add_argument("teacher", metavar="TEACHER", help="resnet18 or wide_resnet50_2")
    importing = add_command(actions, "import", "install a model file, or ImageNet weights you have")
    importing.add_argument("file", metavar="FILE", type=Path, help="a .safetensors or a published .pth file")
    verify = add_command(actions, "verify", "check a model file against its card")
    verify.add_argument("model", metavar="NAME|FILE")
    convert = add_command(actions, "convert", "make a model file of a published D2-4FAD checkpoint")
    convert.add_argument("file", metavar="FILE", type=Path, help="the published .pth")
    convert.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .safetensors file")


def run(arguments: Namespace) -> None:
    """Does what ``d24fad models ACTION`` asks.

    Raises:
        ModelError: See `network.install`, `network.imagenet` and `network.convert`.
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
    weights = {entry.teacher: imagenet_weights_installed(entry.teacher) for entry in CATALOGUE}
    if arguments.json:
        listed = [_described(model) for model in models]
        print(as_json({"schema": SCHEMA, "models": listed, "imagenet_weights": weights}))
        return
    print(table(["Model", "Teacher", "Scoring", "From", "What it is"], [_row(model) for model in models]))
    print()
    rows = [[teacher, "installed" if here else "not installed"] for teacher, here in weights.items()]
    print(table(["ImageNet weights", ""], rows))


def _described(model: InstalledModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "embedded": model.embedded,
        "card": asdict(model.card) if model.card else None,
        "problem": {"code": model.problem.code.code, "text": str(model.problem)} if model.problem else None,
    }


def _row(model: InstalledModel) -> list[str]:
    origin = "the tool" if model.embedded else "you"
    if model.card is None:
        return [model.name, "-", "-", origin, str(model.problem)]
    return [model.name, model.card.teacher, model.card.scoring, origin, model.card.title]


def _download(arguments: Namespace) -> None:
    with progress_bar() as progress:
        download_imagenet_weights(arguments.teacher, progress=progress)
    print(f"The ImageNet weights of {arguments.teacher} are installed.")


def _import(arguments: Namespace) -> None:
    from napari_d24fad.network.install import import_file  # imports torch

    print(f"{import_file(arguments.file)} is installed.")


def _verify(arguments: Namespace) -> None:
    from napari_d24fad.network.install import verify  # imports torch

    card = verify(arguments.model)
    print(f"{card.name} is intact: SHA-256 {card.sha256}")


def _convert(arguments: Namespace) -> None:
    from napari_d24fad.network.convert import convert  # imports torch

    card = convert(arguments.file, arguments.out)
    print(f"{card.name}: {card.title}. Written.")
