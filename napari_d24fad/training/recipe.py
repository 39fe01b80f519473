"""What a training does, on what data: the `Recipe`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from napari_d24fad.training.about import About
from napari_d24fad.training.distil import DistilOptions
from napari_d24fad.training.options import TrainingOptions


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to train, on what. The defaults are those of the embedded model.

    Attributes:
        data: Folder of tasks; None trains on procedural tasks alone.
        teacher: One of those whose published weights can be installed, or ``"compact"`` with the
            embedded model's, unless it is distilled.
        distil_from: ImageNet ResNet-18 weights, BatchNorm folded (``.npz``), to distil a
            compact teacher from; None takes the teacher as it is.
        distil_steps: Optimiser steps of that.
        procedural: How many procedural tasks are added.
        hold_out: Tasks of ``data`` never looked at.
        validate: Tasks of ``data`` to choose the weights by, with synthetic anomalies, instead
            of procedural tasks of their own; not trained on.
        leave_out: Whether scans of ``data`` with a problem are left out instead of refused.
        select: Whether weights are chosen at all; otherwise the last are written.
        every: Steps from one checkpoint, and one choice, to the next.
        training: How the student is trained.
        about: What the card says besides.
        command: The command line, for the card.
    """

    data: Path | None
    teacher: str = "compact"
    distil_from: Path | None = None
    distil_steps: int = DistilOptions().steps
    procedural: int = 12
    hold_out: tuple[str, ...] = ()
    validate: tuple[str, ...] = ()
    leave_out: bool = False
    select: bool = True
    every: int = 200
    training: TrainingOptions = field(default_factory=TrainingOptions)
    about: About = field(default_factory=About)
    command: str = ""
