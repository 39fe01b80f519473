from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.training import loop
from napari_d24fad.training.guard import MEMORY
from napari_d24fad.training.loop import Forgetful, Stage, run_stage


def stage(losses: list[float]) -> Stage:
    """A stage whose losses are what is given, with one weight."""
    weight = torch.nn.Linear(1, 1, bias=False)
    optimiser = torch.optim.SGD(weight.parameters(), lr=1e-9)
    told = iter(losses)
    return Stage(
        name="training",
        title="Training",
        steps=len(losses),
        loss=lambda: weight.weight.sum() * 0 + next(told),
        modules={"weight": weight},
        optimiser=optimiser,
        schedule=torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0),
        generator=torch.Generator(),
    )


def test_weights_of_a_loss_that_has_just_run_away_are_no_model() -> None:
    with pytest.raises(TrainingError, match="ended more than 10 times above") as refusal:
        run_stage(stage([1.0] * MEMORY + [100.0] * 3))
    assert refusal.value.code is Code.DIVERGED


@pytest.mark.parametrize("end", [[100.0], [100.0, 100.0, 1.0], []])
def test_a_peak_at_the_end_is_no_divergence(end: list[float]) -> None:
    made = stage([1.0] * MEMORY + end)
    run_stage(made)
    assert len(made.losses) == made.steps


def test_on_a_device_steps_are_taken_without_reading_their_losses() -> None:
    """On torch's device without memory, where a number cannot be read."""
    weight = torch.nn.Linear(1, 1, bias=False, device="meta")
    optimiser = torch.optim.SGD(weight.parameters(), lr=1e-9)
    made = replace(
        stage([1.0] * 50),
        loss=lambda: weight.weight.sum(),
        optimiser=optimiser,
        schedule=torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0),
    )
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        run_stage(made)
    assert made.schedule.last_epoch == 20


@pytest.fixture
def read_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "steps_per_read", lambda device: 20)


@pytest.mark.usefixtures("read_seldom")
def test_losses_that_are_read_later_are_all_there() -> None:
    losses = [1.0 + 0.01 * step for step in range(50)]
    made, told = stage(losses), list[str]()
    run_stage(made, progress=lambda share, step: told.append(step))
    assert made.losses == pytest.approx(losses)
    assert "loss" not in told[0]
    assert "step 21 of 50, loss 1.19" in told[20]
    assert told[-1] == "Training: step 50 of 50, loss 1.4900"


class Watched(Forgetful):
    """Notes after which steps a checkpoint is taken."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.saved: list[int] = []

    def save(self, stage: Stage) -> None:
        self.saved.append(len(stage.losses))


@pytest.mark.usefixtures("read_seldom")
def test_a_divergence_is_noticed_before_a_checkpoint() -> None:
    keeper = Watched(every=25)
    made = stage([1.0] * 47 + [float("nan")] + [1.0] * 52)
    with pytest.raises(TrainingError, match="At step 48 the loss was not a number") as refusal:
        run_stage(made, keeper)
    assert refusal.value.code is Code.DIVERGED
    assert keeper.saved == [25]
