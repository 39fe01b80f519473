"""``d24fad train``: makes a model of folders of normal images."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_d24fad.atomic import check_writable
from napari_d24fad.cli.arguments import Parser, add_device, count, positive, whole
from napari_d24fad.cli.console import progress_bar, warn, warn_of_device
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import silent

if TYPE_CHECKING:
    from napari_d24fad.training.options import TrainingOptions
    from napari_d24fad.training.recipe import Recipe

_CHANGES_NOTHING = {"command", "data", "out", "recipe", "resume", "device", "debug"}


def add_options(command: Parser) -> None:
    """Adds the options of ``train``."""
    command.add_argument("data", metavar="DATA", type=Path, help="folder of TASK/normal or TASK/train/good")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .safetensors file")
    command.add_argument(
        "--recipe", type=Path, metavar="FILE", help="TOML with options, and what the card says of the model"
    )
    command.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint that a stopped training left"
    )
    command.add_argument(
        "--checkpoint-every", type=count, metavar="N", help="steps between checkpoints (default: 200)"
    )
    # Options without a default here have theirs in training/, where the recipe is; see docs/training.md.
    command.add_argument("--teacher", help="compact (default), or one of: d24fad models list")
    command.add_argument("--steps", type=count, metavar="N", help="optimiser steps")
    command.add_argument("--shots", type=count, metavar="K", help="support images of an episode")
    command.add_argument("--rate", type=positive, metavar="X", help="peak learning rate")
    command.add_argument("--procedural", type=whole, metavar="N", help="made-up tasks to add")
    command.add_argument(
        "--distil-from", type=Path, metavar="NPZ", help="make the compact teacher anew, of a larger one"
    )
    command.add_argument("--distil-steps", type=count, metavar="N", help="optimiser steps of that")
    command.add_argument("--hold-out", nargs="+", metavar="TASK", help="tasks of DATA never looked at")
    command.add_argument(
        "--validate", nargs="+", metavar="TASK", help="tasks of DATA that only the weights are chosen by"
    )
    command.add_argument(
        "--leave-out",
        action="store_true",
        default=None,
        help="leave out scans that have a problem instead of refusing them",
    )
    command.add_argument(
        "--no-selection", action="store_true", default=None, help="write the last weights, not the best"
    )
    command.add_argument(
        "--published",
        action="store_true",
        default=None,
        help="the paper's loss and optimiser instead of ours, which keep the student from collapsing",
    )
    command.add_argument("--tsd-weight", type=positive, metavar="X", help="weight of TSD (paper: lambda)")
    command.add_argument("--no-tsd", action="store_true", default=None, help="leave TSD out")
    command.add_argument("--no-ssd", action="store_true", default=None, help="leave SSD out")
    command.add_argument("--no-l2w", action="store_true", default=None, help="weigh all supports equally")
    command.add_argument("--seed", type=whole, metavar="N", help="default: 0")
    add_device(command)


def run(arguments: Namespace) -> None:
    """Trains a model and writes it with its card, log and loss plot.

    Raises:
        D24fadError: See `train_model`.
    """
    check_writable(arguments.out.absolute().parent)
    from napari_d24fad.training.processes import is_main_process  # imports torch
    from napari_d24fad.training.train import train_model

    speaks = is_main_process()
    if speaks:
        warn_of_device(arguments.device)
    recipe = recipe_of(arguments)
    with progress_bar() as bar:
        card = train_model(
            recipe,
            arguments.out,
            device=arguments.device,
            resume=arguments.resume,
            warn=warn if speaks else lambda sentence: None,
            progress=bar if speaks else silent,
        )
    if speaks:
        print(f"{card.name}: {card.title}. Written.")


def recipe_of(arguments: Namespace) -> Recipe:
    """Makes the recipe of parsed arguments: options given, else those of a recipe file, else our own.

    Raises:
        ArgumentError: See `read_recipe`.
    """
    from napari_d24fad.training.about import About, read_recipe
    from napari_d24fad.training.recipe import Recipe

    about = About()
    if arguments.recipe:
        options, about = read_recipe(arguments.recipe)
        _fill_in(arguments, options)
    given = {
        "teacher": arguments.teacher,
        "distil_from": arguments.distil_from,
        "distil_steps": arguments.distil_steps,
        "procedural": arguments.procedural,
        "hold_out": arguments.hold_out and tuple(arguments.hold_out),
        "validate": arguments.validate and tuple(arguments.validate),
        "leave_out": arguments.leave_out,
        "select": False if arguments.no_selection else None,
        "every": arguments.checkpoint_every,
    }
    return replace(
        Recipe(arguments.data, training=_options(arguments), about=about, command=_command(arguments)),
        **{name: value for name, value in given.items() if value is not None},
    )


def _options(arguments: Namespace) -> TrainingOptions:
    from napari_d24fad.training.options import TrainingOptions

    start = TrainingOptions.published() if arguments.published else TrainingOptions()
    given = {
        "steps": arguments.steps,
        "shots": arguments.shots,
        "rate": arguments.rate,
        "seed": arguments.seed,
        "tsd_weight": 0.0 if arguments.no_tsd else arguments.tsd_weight,
        "ssd": False if arguments.no_ssd else None,
        "l2w": False if arguments.no_l2w else None,
    }
    return replace(start, **{name: value for name, value in given.items() if value is not None})


def _fill_in(arguments: Namespace, options: Mapping[str, Any]) -> None:
    """Takes options of a recipe file where the command line gives none; they are parsed like it."""
    words: list[str] = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [] if value is True else [value]
        words += [f"--{name}", *map(str, values)] if value is not False else []
    forbidden = sorted(_CHANGES_NOTHING & {name.replace("-", "_") for name in options})
    if forbidden:
        detail = f"A recipe cannot set {', '.join(forbidden)}."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    parser = Parser(allow_abbrev=False)
    add_options(parser)
    parsed = parser.parse_args(["DATA", "--out", "FILE", *words])
    for name, value in vars(parsed).items():
        if name not in _CHANGES_NOTHING and getattr(arguments, name) is None:
            setattr(arguments, name, value)


def _command(arguments: Namespace) -> str:
    """Returns the command line for the model card, with the names of folders and files left out."""
    words = ["d24fad train DATA --out FILE"]
    for name, value in vars(arguments).items():
        if name in _CHANGES_NOTHING or value is None:
            continue
        words.append(f"--{name.replace('_', '-')}")
        if name == "distil_from":
            words.append("FILE")
        elif value is not True:
            words += map(str, value) if isinstance(value, list) else [str(value)]
    return " ".join(words)
