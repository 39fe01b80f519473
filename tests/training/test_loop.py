from __future__ import annotations

import pytest
import torch

from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.training.guard import MEMORY
from napari_d24fad.training.loop import Stage, run_stage


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
