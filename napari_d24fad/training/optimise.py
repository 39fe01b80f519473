"""The schedule and the step of optimisation that all training here shares."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from napari_d24fad.errors import Code, TrainingError

WARM_STEPS = 100


def warm_cosine(step: int, steps: int) -> float:
    """Learning-rate factor: a linear rise over 100 steps, then half a cosine to 0."""
    if step < WARM_STEPS:
        return (step + 1) / WARM_STEPS
    return 0.5 * (1 + math.cos(math.pi * (step - WARM_STEPS) / max(1, steps - WARM_STEPS)))


def descend(
    loss: Tensor, optimiser: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler
) -> float:
    """Takes one step down the gradient and returns the loss it started from.

    Raises:
        TrainingError: DIVERGED if the loss is not a number; nothing is changed then.
    """
    if not torch.isfinite(loss):
        raise TrainingError(Code.DIVERGED)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch's own annotation is missing
    optimiser.step()
    schedule.step()
    return loss.item()
