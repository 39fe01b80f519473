"""From a folder of normal images to a model file with its card: what ``d24fad train`` does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.network.card import ModelCard
from napari_d24fad.network.checkpoint import load_model, save_model
from napari_d24fad.network.d24fad import D24FAD, build_network
from napari_d24fad.network.files import sha256_of
from napari_d24fad.network.teacher_weights import installed_sha256, load_weights
from napari_d24fad.network.teachers.architecture import TEACHERS, Transformer, teacher_spec
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.training.data.distil_sources import distil_sources
from napari_d24fad.training.data.procedural import procedural_tasks
from napari_d24fad.training.data.reading import read_tasks
from napari_d24fad.training.data.tasks import MIN_IMAGES, Task
from napari_d24fad.training.description import PROCEDURAL, first_card, selection_sentence
from napari_d24fad.training.distil import DistilOptions, distil, read_folded_teacher
from napari_d24fad.training.episodes import MARGIN, check_tasks
from napari_d24fad.training.loop import Keeper
from napari_d24fad.training.options import TrainingOptions
from napari_d24fad.training.precision import has_bfloat16
from napari_d24fad.training.processes import Processes, join_processes
from napari_d24fad.training.recipe import Recipe
from napari_d24fad.training.record import TrainingRecord, expect_checkpoint
from napari_d24fad.training.selection import Selection, in_evaluation
from napari_d24fad.training.student import train_student
from napari_d24fad.training.validation import Validation

_IMAGES_PER_PROCEDURAL_TASK = 24
_PROCEDURAL_VALIDATION = 2


def train_model(
    recipe: Recipe,
    out: Path,
    *,
    device: str = "auto",
    resume: bool = False,
    warn: Callable[[str], None] = lambda sentence: None,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> ModelCard:
    """Trains a model and writes it.

    Args:
        recipe: What to train, on what.
        out: The safetensors file to write; its card, log and loss plot go beside it, and until
            it is written a checkpoint.
        device: See `join_processes`.
        resume: Whether to go on from the checkpoint beside ``out``.
        warn: Told of what was left out of the data.
        progress: Told the step, the loss and the time left.
        cancel: Stops the training; the last checkpoint stays.

    Returns:
        The card as written.

    Raises:
        StudyError: PATH_MISSING if the folder of the data is not there.
        TrainingError: The data cannot be trained on, there is nothing to resume, or the loss diverged.
        ModelError: The teacher's weights are missing, or the device is.
        ArgumentError: BAD_ARGUMENT for options that contradict each other, or a name
            of the file that a model cannot have.
        ExportError: CANNOT_WRITE.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    processes = join_processes(device)
    _check(recipe, processes)
    recipe = replace(recipe, training=_fitting(recipe))
    if resume:
        expect_checkpoint(out)  # now, not after all data was read
    notes: list[str] = []
    tasks, held_back = _tasks(recipe, notes.append, part(progress, 0, 0.05), cancel)
    for sentence in notes:
        warn(sentence)
    card = first_card(recipe, out, tasks, held_back)
    begun = _begun(recipe, tasks, held_back, processes)
    record = TrainingRecord(out, begun, processes, recipe.every, card.recipe, tuple(notes))
    if resume:
        record.resume()
        card = replace(card, recipe=record.commands)
    middle = 0.6 if recipe.distil_from else 0.05
    network = _with_teacher(recipe, tasks, record, processes, part(progress, 0.05, middle), cancel)
    selection = None
    if held_back:
        validation = Validation(network, card, held_back, processes.device)
        modules = {"student": network.student, "weighting": network.weighting}
        selection = Selection(modules, in_evaluation(network, validation))
    train_student(
        network,
        tasks,
        recipe.training,
        normalise=card.normalise,
        device=processes.device,
        keeper=record,
        selection=selection,
        processes=processes,
        progress=part(progress, middle, 1),
        cancel=cancel,
    )
    card = replace(card, selection=selection_sentence(selection, held_back))
    if processes.rank > 0:
        return card
    card = save_model(network.cpu(), card, out, half=True)
    record.finish()
    return card


def _check(recipe: Recipe, processes: Processes) -> None:
    """Refuses what contradicts itself, before anything is read."""
    wrong = ""
    if recipe.teacher not in TEACHERS:
        wrong = f"Teachers are {', '.join(sorted(TEACHERS))}."
    elif recipe.distil_from is not None and recipe.teacher != "compact":
        wrong = "Only the compact teacher is distilled."
    elif recipe.distil_from is not None and processes.count > 1:
        wrong = "A teacher is distilled by one process; several can train a student."
    elif not recipe.training.ssd and not recipe.training.tsd_weight:
        wrong = "Without TSD and SSD there is nothing to train."
    elif recipe.validate and not (recipe.select and recipe.data):
        wrong = "Tasks to validate on are named, but nothing is selected by them."
    if wrong:
        raise ArgumentError(Code.BAD_ARGUMENT, wrong)


def _fitting(recipe: Recipe) -> TrainingOptions:
    """Returns how to train, with images of a side that a transformer can take: 126 pixels for 128."""
    arch = teacher_spec(recipe.teacher).architecture
    return recipe.training.in_multiples(arch.multiple) if isinstance(arch, Transformer) else recipe.training


def _tasks(
    recipe: Recipe, warn: Callable[[str], None], progress: Progress, cancel: CancelToken
) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
    """Returns the tasks to train on, and those to choose the weights by."""
    side = recipe.training.input_size + (0 if recipe.training.crops else 2 * MARGIN)
    seed = recipe.training.seed
    read: tuple[Task, ...] = ()
    if recipe.data:
        read = read_tasks(
            recipe.data,
            side,
            recipe.hold_out,
            progress,
            cancel,
            expected=recipe.validate,
            at_least=max(MIN_IMAGES, recipe.training.episode),
            leave_out=recipe.leave_out,
            warn=warn,
        )
    made = procedural_tasks(recipe.procedural, _IMAGES_PER_PROCEDURAL_TASK, side, seed)
    tasks = (*(task for task in read if task.name not in recipe.validate), *made)
    check_tasks(tasks, recipe.training)
    held_back = tuple(task for task in read if task.name in recipe.validate)
    if recipe.select and not held_back:
        # Of a seed of their own, so that none equals one that is trained on.
        own = procedural_tasks(_PROCEDURAL_VALIDATION, _IMAGES_PER_PROCEDURAL_TASK, side, seed + 1_000_000)
        held_back = tuple(replace(task, name=f"held-back {task.name}") for task in own)
    return tasks, held_back


def _begun(
    recipe: Recipe, tasks: Sequence[Task], held_back: Sequence[Task], processes: Processes
) -> dict[str, str | int | float | bool]:
    """What a training must go on with: all that its losses depend on, but the learning rate.

    After a divergence that is what has to change.
    """
    begun = {
        name.replace("_", " "): value for name, value in asdict(recipe.training).items() if name != "rate"
    }
    begun |= {"teacher": recipe.teacher, "selection": recipe.select, "processes": processes.count}
    if weights := installed_sha256(recipe.teacher):
        begun["teacher weights"] = weights
    begun["bfloat16"] = has_bfloat16(processes.device)
    if recipe.distil_from:
        begun |= {"distil steps": recipe.distil_steps, "distil from": sha256_of(recipe.distil_from)}
    for task in (*tasks, *held_back):
        begun[f"images of {task.name}"] = hashlib.sha256(task.images.numpy().tobytes()).hexdigest()
    return begun


def _with_teacher(
    recipe: Recipe,
    tasks: Sequence[Task],
    keeper: Keeper,
    processes: Processes,
    progress: Progress,
    cancel: CancelToken,
) -> D24FAD:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        network = build_network(recipe.teacher)
    if recipe.distil_from is not None:
        source = read_folded_teacher(recipe.distil_from)
        options = DistilOptions(
            recipe.teacher, recipe.distil_steps, side=recipe.training.side, seed=recipe.training.seed
        )
        real = [task for task in tasks if not task.name.startswith(PROCEDURAL)]
        sources = distil_sources(real, recipe.training.input_size, recipe.training.seed)
        network.teacher = distil(
            source, sources, options, progress, cancel, keeper=keeper, device=processes.device
        )
    elif recipe.teacher == "compact":
        network.teacher = load_model("compact").network.teacher
    else:
        # Not strict: BatchNorm's batch counters, which nothing reads, are not stored.
        network.teacher.load_state_dict(load_weights(recipe.teacher), strict=False)
    return network
