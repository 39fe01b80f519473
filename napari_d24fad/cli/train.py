"""``d24fad train``: makes a model of folders of normal images."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_d24fad.atomic import check_writable
from napari_d24fad.cli.console import progress_bar

if TYPE_CHECKING:
    from napari_d24fad.training.student import TrainingOptions


def run(arguments: Namespace) -> None:
    """Trains a model and writes it with its card.

    Raises:
        D24fadError: See `train_model`.
    """
    check_writable(arguments.out.absolute().parent)
    from napari_d24fad.training.recipe import Recipe, train_model  # imports torch

    recipe = Recipe(
        data=arguments.data,
        teacher=arguments.teacher,
        distil_from=arguments.distil_from,
        distil_steps=arguments.distil_steps,
        procedural=arguments.procedural,
        hold_out=tuple(arguments.hold_out),
        training=replace(_options(arguments), seed=arguments.seed),
        command=_command(arguments),
    )
    with progress_bar() as progress:
        card = train_model(recipe, arguments.out, device=arguments.device, progress=progress)
    print(f"{card.name}: {card.title}. Written to {arguments.out}")


def _options(arguments: Namespace) -> TrainingOptions:
    from napari_d24fad.training.student import TrainingOptions

    if arguments.published:
        return TrainingOptions.published(arguments.steps)
    return TrainingOptions(steps=arguments.steps)


def _command(arguments: Namespace) -> str:
    """Returns the command line for the model card, with the names of folders left out."""
    words = [
        "d24fad train",
        "DATA --out FILE",
        f"--teacher {arguments.teacher}",
        f"--steps {arguments.steps}",
    ]
    if arguments.distil_from:
        words.append(f"--distil-from FILE --distil-steps {arguments.distil_steps}")
    words.append(f"--procedural {arguments.procedural}")
    if arguments.hold_out:
        words.append(f"--hold-out {' '.join(arguments.hold_out)}")
    if arguments.published:
        words.append("--published")
    return " ".join([*words, f"--seed {arguments.seed}"])
