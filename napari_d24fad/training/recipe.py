"""From a folder of normal images to a model file with its card: what ``d24fad train`` does."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_d24fad.detection.devices import choose_device
from napari_d24fad.errors import ArgumentError, Code, ModelError
from napari_d24fad.network.architecture import ARCHITECTURES
from napari_d24fad.network.card import DataSource, ModelCard
from napari_d24fad.network.checkpoint import load_model, save_model
from napari_d24fad.network.d24fad import D24FAD, build_network
from napari_d24fad.network.imagenet import load_imagenet_weights
from napari_d24fad.network.zoo import WEIGHTS_SUFFIX
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.training.distil import DistilOptions, distil, read_folded_teacher
from napari_d24fad.training.procedural import procedural_tasks
from napari_d24fad.training.student import TrainingOptions, check_tasks, train_student
from napari_d24fad.training.tasks import Task, read_tasks

_IMAGES_PER_PROCEDURAL_TASK = 24
_MARGIN = 8


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to train, on what.

    Attributes:
        data: Folder of tasks; None trains on procedural tasks alone.
        teacher: ``"resnet18"`` or ``"wide_resnet50_2"`` with ImageNet weights, or
            ``"compact"`` with the embedded model's, unless it is distilled.
        distil_from: ImageNet ResNet-18 weights, BatchNorm folded (``.npz``), to distil a
            compact teacher from; None takes the teacher as it is.
        distil_steps: Optimiser steps of that.
        procedural: How many procedural tasks are added.
        hold_out: Tasks of ``data`` never looked at.
        training: How the student is trained.
        command: The command line, for the card.
    """

    data: Path | None
    teacher: str = "compact"
    distil_from: Path | None = None
    distil_steps: int = 2000
    procedural: int = 12
    hold_out: tuple[str, ...] = ()
    training: TrainingOptions = field(default_factory=TrainingOptions)
    command: str = ""


def train_model(
    recipe: Recipe,
    out: Path,
    *,
    device: str = "auto",
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> ModelCard:
    """Trains a model and writes it.

    Args:
        recipe: What to train, on what.
        out: The safetensors file to write; its card goes beside it.
        device: See `choose_device`.
        progress: Told the step and the loss.
        cancel: Stops the training; nothing is written then.

    Returns:
        The card as written.

    Raises:
        TrainingError: The data cannot be trained on, or the loss diverged.
        ModelError: The teacher's weights are missing, or the device is.
        ArgumentError: BAD_ARGUMENT for an unknown teacher, one that cannot be distilled, or a name
            of the file that a model cannot have.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    if recipe.teacher not in ARCHITECTURES:
        raise ArgumentError(Code.BAD_ARGUMENT, f"Teachers are {', '.join(sorted(ARCHITECTURES))}.")
    if recipe.distil_from is not None and recipe.teacher != "compact":
        raise ArgumentError(Code.BAD_ARGUMENT, "Only the compact teacher is distilled.")
    where = choose_device(device)
    side = recipe.training.side
    reading = part(progress, 0, 0.05)
    read = (
        read_tasks(recipe.data, side + 2 * _MARGIN, recipe.hold_out, reading, cancel) if recipe.data else ()
    )
    made = procedural_tasks(
        recipe.procedural, _IMAGES_PER_PROCEDURAL_TASK, side + 2 * _MARGIN, recipe.training.seed
    )
    tasks = (*read, *made)
    check_tasks(tasks, recipe.training)
    card = _card(recipe, _sources(read, len(made)), out, len(tasks))
    middle = 0.6 if recipe.distil_from else 0.05
    network = _with_teacher(recipe, tasks, part(progress, 0.05, middle), cancel)
    train_student(
        network,
        tasks,
        recipe.training,
        normalise=card.normalise,
        device=where,
        progress=part(progress, middle, 1),
        cancel=cancel,
    )
    return save_model(network.cpu(), card, out, half=True)


def _card(recipe: Recipe, data: tuple[DataSource, ...], out: Path, n_tasks: int) -> ModelCard:
    """Makes the card before the training, so that one that cannot be written costs no hours."""
    card = ModelCard(
        name=out.name.removesuffix(WEIGHTS_SUFFIX),
        title=f"{recipe.teacher} student trained on {n_tasks} tasks",
        teacher=recipe.teacher,
        teacher_weights="embedded" if recipe.teacher == "compact" else "imagenet",
        normalise=recipe.teacher == "compact",
        input_size=recipe.training.side,
        scoring="matched",
        data=data,
        recipe=(recipe.command,) if recipe.command else (),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        figures=(),
        licence="not stated",
        sha256="0" * 64,
    )
    try:
        card.to_json()
    except ModelError as error:
        detail = f"{error.detail} A model is named after its file: letters, digits, dots, dashes, at most 64."
        raise ArgumentError(Code.BAD_ARGUMENT, detail) from error
    return card


def _with_teacher(recipe: Recipe, tasks: Sequence[Task], progress: Progress, cancel: CancelToken) -> D24FAD:
    network = build_network(recipe.teacher)
    if recipe.distil_from is not None:
        source = read_folded_teacher(recipe.distil_from)
        options = DistilOptions(
            recipe.teacher, recipe.distil_steps, side=recipe.training.side, seed=recipe.training.seed
        )
        # Real images count twice: they are what the teacher must see well.
        real = [task for task in tasks if not task.name.startswith("procedural ")]
        network.teacher = distil(source, [*real, *tasks], options, progress, cancel)
    elif recipe.teacher == "compact":
        network.teacher = load_model("compact").network.teacher
    else:
        # Not strict: BatchNorm's batch counters, which nothing reads, are not stored.
        network.teacher.load_state_dict(load_imagenet_weights(recipe.teacher), strict=False)
    return network


def _sources(read: Sequence[Task], made: int) -> tuple[DataSource, ...]:
    """Names what was trained on; terms are the owner's to state, and the card is a text file."""
    sources = [DataSource(task.name, "not stated", "training: normal images") for task in read]
    if made:
        sources.append(DataSource(f"{made} procedural tasks", "made by this program", "training"))
    return tuple(sources)
