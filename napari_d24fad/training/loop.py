"""The loop that every stage of a training runs through: steps, watched, kept and told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.training.guard import DivergenceGuard
from napari_d24fad.training.optimise import descend
from napari_d24fad.training.processes import Processes, SingleProcess
from napari_d24fad.training.selection import Selection

_STEPS_PER_READ = 20


def steps_per_read(device: torch.device) -> int:
    """Returns after how many steps their losses are read: on a GPU, a step then waits for no other."""
    return 1 if device.type == "cpu" else _STEPS_PER_READ


@dataclass(slots=True, eq=False)
class Stage:
    """One optimisation from its first step to its last, with all that the next step depends on.

    Attributes:
        name: ``"distillation"`` or ``"training"``; what its losses are kept under.
        title: How its progress begins, such as ``"Training"``.
        steps: Optimiser steps of the whole stage.
        loss: Draws the next batch and returns its loss.
        modules: By name, what changes or must be there to go on; their states are kept.
        optimiser: Of their parameters.
        schedule: Of its learning rate.
        generator: Source of all randomness of `loss`.
        selection: Chooses among the weights that the stage passes through; None takes the last.
        losses: The loss of every step so far, as far as they were read.
        unread: Those of the steps after them, scalars on the device.
    """

    name: str
    title: str
    steps: int
    loss: Callable[[], Tensor]
    modules: Mapping[str, nn.Module]
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LambdaLR
    generator: torch.Generator
    selection: Selection | None = None
    losses: list[float] = field(default_factory=list)
    unread: list[Tensor] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """Steps so far."""
        return len(self.losses) + len(self.unread)

    def read(self, guard: DivergenceGuard) -> str:
        """Reads the losses that were not read yet, up to the first that is a divergence.

        Returns:
            Why it is one; see `DivergenceGuard.see`.
        """
        values = torch.stack(self.unread).tolist()
        self.unread.clear()
        for value in values:
            self.losses.append(value)
            if reason := guard.see(value):
                return reason
        return ""


class Keeper(Protocol):
    """Keeps a stage where a later run can go on with it.

    Attributes:
        every: Steps from one checkpoint to the next.
    """

    every: int

    def restore(self, stage: Stage) -> None:
        """Brings a stage to where its last checkpoint left it, if there is one."""

    def save(self, stage: Stage) -> None:
        """Takes a checkpoint.

        Raises:
            TrainingError: DIVERGED if a weight is not a finite number.
            ExportError: CANNOT_WRITE.
        """

    def diverged(self, stage: Stage, reason: str) -> TrainingError:
        """Notes a divergence and returns the refusal that says where to go on from."""


class Forgetful:
    """The keeper of a run that is not kept."""

    every = 200

    def restore(self, stage: Stage) -> None:
        """Finds nothing."""

    def save(self, stage: Stage) -> None:
        """Keeps nothing."""

    def diverged(self, stage: Stage, reason: str) -> TrainingError:
        """Returns the refusal."""
        return TrainingError(Code.DIVERGED, f"At step {len(stage.losses)} the loss {reason}.")


def run_stage(
    stage: Stage,
    keeper: Keeper | None = None,
    processes: Processes | None = None,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> None:
    """Runs a stage to its end, from wherever `Keeper.restore` brought it.

    Args:
        stage: Its `Stage.losses` grow; with a selection, its modules end with the chosen weights.
        keeper: Takes a checkpoint every so many steps and after the last.
        processes: Who trains together.
        progress: Told the step, the loss and the time left.
        cancel: Stops it between two steps.

    Raises:
        TrainingError: DIVERGED if the loss is not a number or stays far above what it was. On a GPU
            that is noticed some steps later, and always before a checkpoint.
        ExportError: CANNOT_WRITE if a checkpoint cannot be written.
        Cancelled: If a stop was asked for.
    """
    keeper = keeper or Forgetful()
    processes = processes or SingleProcess(torch.device("cpu"))
    cancel = cancel or CancelToken()
    guard = DivergenceGuard()
    for loss in stage.losses:
        guard.see(loss)
    first, started = stage.taken, time.monotonic()
    while stage.taken < stage.steps:
        cancel.check()
        started_from = stage.loss()
        steps = steps_per_read(started_from.device)
        look = steps == 1
        stage.unread.append(descend(started_from, stage.optimiser, stage.schedule, processes.mean, look=look))
        done = stage.taken
        last = done == stage.steps
        due = done % keeper.every == 0 or last
        reason = stage.read(guard) if due or len(stage.unread) == steps else ""
        if reason := reason or (guard.at_end() if last else ""):
            raise keeper.diverged(stage, reason)
        if due and not guard.suspicious:
            if stage.selection and processes.rank == 0:
                stage.selection.review(done, cancel)
            keeper.save(stage)
        left = (time.monotonic() - started) / (done - first) * (stage.steps - done)
        told = f"{stage.title}: step {done} of {stage.steps}"
        told += f", loss {stage.losses[-1]:.4f}" if stage.losses else ""
        progress(done / stage.steps, told if last else f"{told}, {duration(left)} left")
    if stage.selection:
        stage.selection.take_best()


def duration(seconds: float) -> str:
    """Says a length of time in at most two units: ``"2 h 5 min"``, ``"3 min"``, ``"40 s"``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
