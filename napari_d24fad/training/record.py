"""What is kept of a training while it runs: a checkpoint to go on from, a log and a plot of the loss.

All three lie beside the model file. The checkpoint is one safetensors file with JSON in
its header: numbers and text, nothing that could run. It is removed when the model is written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from napari_d24fad.atomic import atomic_file, recover
from napari_d24fad.errors import Code, ModelError, TrainingError
from napari_d24fad.network.tensors import Tensors, read_metadata, read_tensors, write_tensors
from napari_d24fad.network.zoo import WEIGHTS_SUFFIX
from napari_d24fad.training.loop import Stage
from napari_d24fad.training.plot import save_loss_plot
from napari_d24fad.training.processes import Processes
from napari_d24fad.training.snapshot import load_snapshot, take_snapshot

SCHEMA: Final = "d24fad-training/1"
CHECKPOINT_SUFFIX: Final = ".checkpoint"
LOG_SUFFIX: Final = ".log.jsonl"
PLOT_SUFFIX: Final = ".loss.png"

Begun = Mapping[str, str | int | float | bool]
"""What a training was begun with and must go on with, by the words that a refusal uses."""


@dataclass(slots=True, eq=False)
class TrainingRecord:
    """Keeps a training beside the model file that it will write; a `Keeper` of all its stages.

    Attributes:
        out: The model file.
        begun: Data and options.
        processes: Who trains together; number 0 writes.
        every: Steps from one checkpoint to the next.
        commands: The command lines of this training so far, the last one included.
        notes: Sentences about the data, for the log.
        events: What happened besides steps, for the log.
    """

    out: Path
    begun: Begun
    processes: Processes
    every: int = 200
    commands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    events: list[dict[str, Any]] = field(default_factory=list)
    _tensors: Tensors = field(default_factory=dict)
    _stage: str = ""
    _reviews: list[tuple[int, float]] = field(default_factory=list)
    _past: dict[str, list[float]] = field(default_factory=dict)
    _saved: str = ""

    def resume(self) -> None:
        """Reads the checkpoint beside the model file, so that `restore` can go on from it.

        Raises:
            TrainingError: CANNOT_RESUME if there is none, it is damaged, or it was begun with
                other data or options.
        """
        expect_checkpoint(self.out)
        path = _beside(self.out, CHECKPOINT_SUFFIX)
        recover(path.parent)
        try:
            told = json.loads(read_metadata(path)["training"])
            if told["schema"] != SCHEMA:
                raise TrainingError(Code.CANNOT_RESUME, "Its checkpoint is of another version.")
            begun = dict(told["begun"])
            different = sorted(
                key for key in begun.keys() | self.begun.keys() if begun.get(key) != self.begun.get(key)
            )
            if different:
                detail = f"It was begun with other values of: {', '.join(different)}."
                raise TrainingError(Code.CANNOT_RESUME, detail)
            self._tensors = read_tensors(path)
            self._stage = str(told["stage"])
            self._reviews = [(int(step), float(value)) for step, value in told["reviews"]]
            self._past = {str(name): self._tensors.pop(f"losses.{name}").tolist() for name in told["stages"]}
            self.events = list(told["events"])
            commands = tuple(map(str, told["commands"]))
        except (
            ModelError,
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            raise TrainingError(Code.CANNOT_RESUME, "Its checkpoint is damaged.") from error
        self.commands = (*commands, *(line for line in self.commands if line not in commands[-1:]))
        self._saved = f"{self._stage} step {len(self._past[self._stage])}"
        self._note("resume", self._stage, len(self._past[self._stage]))

    def restore(self, stage: Stage) -> None:
        """Brings a stage to where the checkpoint left it; a stage that is past only gets its losses.

        Raises:
            TrainingError: CANNOT_RESUME if the checkpoint is of another network.
        """
        if stage.name in self._past:
            stage.losses[:] = self._past[stage.name]
        self._past[stage.name] = stage.losses
        if self._stage != stage.name or not self._tensors:
            return
        try:
            load_snapshot(stage, self._tensors, self.processes)
        except (KeyError, ValueError, RuntimeError) as error:
            raise TrainingError(Code.CANNOT_RESUME, "Its checkpoint is of another network.") from error
        if stage.selection:
            stage.selection.reviews[:] = self._reviews
        self._tensors = {}

    def save(self, stage: Stage) -> None:
        """Writes checkpoint, log and plot; the checkpoint before it is replaced when all of it is on disk.

        Raises:
            TrainingError: DIVERGED if a weight is not a finite number.
            ExportError: CANNOT_WRITE.
        """
        tensors = take_snapshot(stage, self.processes)
        if self.processes.rank > 0:
            return
        self._stage = stage.name
        self._reviews = list(stage.selection.reviews) if stage.selection else []
        told = {
            "schema": SCHEMA,
            "stage": stage.name,
            "stages": list(self._past),
            "begun": dict(self.begun),
            "commands": self.commands,
            "reviews": self._reviews,
            "events": self.events,
        }
        losses = {f"losses.{name}": torch.tensor(values) for name, values in self._past.items()}
        try:
            write_tensors(
                {**tensors, **losses}, _beside(self.out, CHECKPOINT_SUFFIX), {"training": json.dumps(told)}
            )
        except ModelError as error:
            raise self.diverged(stage, "left weights that are not finite numbers") from error
        self._saved = f"{stage.name} step {len(stage.losses)}"
        self._tell()

    def diverged(self, stage: Stage, reason: str) -> TrainingError:
        """Writes the log and plot up to a divergence, and returns the refusal."""
        step = len(stage.losses)
        kept = (
            f"The last good checkpoint, of {self._saved}, was kept."
            if self._saved
            else "No checkpoint was taken yet."
        )
        if self.processes.rank == 0:
            self._note("diverged", stage.name, step, reason=reason)
            self._tell()
        return TrainingError(Code.DIVERGED, f"At {stage.name} step {step} the loss {reason}. {kept}")

    def finish(self) -> None:
        """Completes log and plot, and removes the checkpoint: the model file is written."""
        self._note("end", self._stage, len(self._past.get(self._stage, ())))
        self._tell()
        _beside(self.out, CHECKPOINT_SUFFIX).unlink(missing_ok=True)

    def _note(self, event: str, stage: str, step: int, **more: str) -> None:
        self.events.append({"event": event, "stage": stage, "step": step, **more})

    def _tell(self) -> None:
        with atomic_file(_beside(self.out, LOG_SUFFIX)) as temporary:
            lines = [json.dumps(line, allow_nan=False) for line in self._lines()]
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        save_loss_plot(self._past, self._reviews, _beside(self.out, PLOT_SUFFIX))

    def _lines(self) -> Sequence[Mapping[str, Any]]:
        """The log: what it was begun with, every step of every stage, reviews, and what else happened."""
        begin = {
            "event": "begin",
            "schema": SCHEMA,
            "commands": self.commands,
            **self.begun,
            "notes": self.notes,
        }
        steps = [
            {"event": "step", "stage": stage, "step": step, "loss": loss if math.isfinite(loss) else None}
            for stage, losses in self._past.items()
            for step, loss in enumerate(losses, start=1)
        ]
        reviews = [
            {"event": "review", "stage": self._stage, "step": step, "image_auroc": value}
            for step, value in self._reviews
        ]
        return [begin, *steps, *reviews, *self.events]


def expect_checkpoint(out: Path) -> None:
    """Returns if there is a checkpoint beside a model file.

    Raises:
        TrainingError: CANNOT_RESUME if not.
    """
    if not _beside(out, CHECKPOINT_SUFFIX).is_file():
        raise TrainingError(Code.CANNOT_RESUME, "There is no checkpoint beside the model file.")


def _beside(out: Path, suffix: str) -> Path:
    return out.with_name(out.name.removesuffix(WEIGHTS_SUFFIX) + suffix)
