"""The schedule and the step of optimisation that all training here shares."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

WARM_STEPS = 100
LARGEST_GRADIENT = 5.0


def warm_cosine(step: int, steps: int) -> float:
    """Learning-rate factor: a linear rise over 100 steps, then half a cosine to 0."""
    if step < WARM_STEPS:
        return (step + 1) / WARM_STEPS
    return 0.5 * (1 + math.cos(math.pi * (step - WARM_STEPS) / max(1, steps - WARM_STEPS)))


def descend(
    loss: Tensor,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    mean: Callable[[Tensor], Tensor] = Tensor.clone,
    *,
    look: bool = True,
) -> Tensor:
    """Takes one step down the gradient.

    Args:
        loss: A scalar.
        optimiser: Takes the step.
        schedule: Of its learning rate.
        mean: Averages the loss over the processes that train together.
        look: Whether to look at the loss first, and change nothing if it is not a finite number. On a
            GPU that waits for everything that is being computed.

    Returns:
        The loss that the step started from, a scalar.
    """
    value = mean(loss.detach())
    if not look or math.isfinite(value):
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own annotation is missing
        # One odd batch must not throw the weights far away.
        clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], LARGEST_GRADIENT)
        optimiser.step()
        schedule.step()
    return value
