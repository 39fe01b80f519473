"""The learning-rate schedule that all training here shares."""

from __future__ import annotations

import math

WARM_STEPS = 100


def warm_cosine(step: int, steps: int) -> float:
    """Learning-rate factor: a linear rise over 100 steps, then half a cosine to 0."""
    if step < WARM_STEPS:
        return (step + 1) / WARM_STEPS
    return 0.5 * (1 + math.cos(math.pi * (step - WARM_STEPS) / max(1, steps - WARM_STEPS)))
