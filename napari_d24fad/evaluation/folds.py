"""Leave one task out: for each group of tasks, a model that was trained without any of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_d24fad.errors import ArgumentError, Code, ModelError, TrainingError
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.run import Fold
from napari_d24fad.network.files import sha256_of
from napari_d24fad.network.zoo import WEIGHTS_SUFFIX, read_pair
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.training.recipe import Recipe
from napari_d24fad.training.train import train_model

MODELS_FOLDER = "models"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_NAME = 64
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class FoldPlan:
    """Which tasks are held out together, and how the models are trained.

    Attributes:
        groups: Names of the tasks of each fold; a task is in one at most. Larger groups
            leave less to train on, and fewer models to train.
        recipe: How to train; its ``data`` is the folder of the tasks, its ``hold_out`` is set here.
        device: See `train_model`.
    """

    groups: tuple[tuple[str, ...], ...]
    recipe: Recipe = field(repr=False)
    device: str = "auto"


def parse_groups(text: str | None, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Reads groups of tasks, such as ``brain+breast,chest``.

    Args:
        text: Groups separated by commas, tasks of a group joined by plus signs; None for
            every task on its own.
        names: The tasks there are.

    Raises:
        ArgumentError: BAD_ARGUMENT if a task does not exist or is named twice.
    """
    if text is None:
        return tuple((name,) for name in names)
    groups = tuple(tuple(group.split("+")) for group in text.split(","))
    every = [name for group in groups for name in group]
    wrong = sorted({name for name in every if name not in names or every.count(name) > 1})
    if wrong:
        detail = f"--folds: not a task, or named twice: {', '.join(wrong)}."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    return groups


def train_folds(
    plan: FoldPlan,
    tasks: Sequence[LabelledTask],
    out: Path,
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> tuple[Fold, ...]:
    """Trains one model per group, or takes the one that an earlier call left.

    A training that was stopped goes on from its checkpoint where data and options are still the
    same, and starts anew where they are not.

    Args:
        plan: Groups and recipe.
        tasks: The labelled scans of all groups.
        out: The results folder; models go to ``models`` in it.
        progress: Told how far it is.
        cancel: Stops it; models that are complete stay.

    Raises:
        D24fadError: See `train_model`.
        Cancelled: If a stop was asked for.
    """
    by_name = {task.name: task for task in tasks}
    folds = []
    for done, group in enumerate(plan.groups):
        state = _state_of(plan.recipe, group)
        command = f"{plan.recipe.command} --hold-out {' '.join(group)}  # files {state}"
        recipe = replace(plan.recipe, hold_out=group, command=command)
        file = out / MODELS_FOLDER / f"{_model_name(group)}{WEIGHTS_SUFFIX}"
        if not _is_ready(file, command):
            tell = part(progress, done / len(plan.groups), (done + 1) / len(plan.groups))
            _train(recipe, file, plan.device, tell, cancel)
        folds.append(Fold(file, tuple(by_name[name] for name in group)))
    return tuple(folds)


def _train(recipe: Recipe, file: Path, device: str, progress: Progress, cancel: CancelToken | None) -> None:
    try:
        train_model(recipe, file, device=device, resume=True, progress=progress, cancel=cancel)
    except TrainingError as error:
        if error.code is not Code.CANNOT_RESUME:
            raise
        train_model(recipe, file, device=device, progress=progress, cancel=cancel)


def _state_of(recipe: Recipe, hold_out: Sequence[str]) -> str:
    """Returns what changes with the files that a model is trained on, recognised as elsewhere.

    By their names, sizes and times of change; weights to distil from by their content.
    """
    assert recipe.data is not None  # the tasks that are evaluated are in it
    digest = hashlib.sha256()
    folders = [each for each in sorted(recipe.data.iterdir()) if each.is_dir() and each.name not in hold_out]
    for file in (file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()):
        status = file.stat()
        name = file.relative_to(recipe.data).as_posix()
        digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    if recipe.distil_from:
        digest.update(sha256_of(recipe.distil_from).encode())
    return digest.hexdigest()[:16]


def _model_name(group: Sequence[str]) -> str:
    """Names a model after what it never saw, in the letters that a model name may have.

    Groups whose names become alike in these letters are told apart by the digits at the end.
    """
    digits = hashlib.sha256("\0".join(group).encode()).hexdigest()[:_DIGITS]
    readable = _NOT_IN_NAMES.sub("-", f"without-{'-'.join(group)}")
    return f"{readable[: _LONGEST_NAME - _DIGITS - 1].rstrip('._-')}-{digits}"


def _is_ready(file: Path, command: str) -> bool:
    """Whether a complete model of the same recipe lies there."""
    try:
        return command in read_pair(file).card.recipe
    except ModelError:
        return False
