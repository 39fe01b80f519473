"""Synthetic anomalies, so that a model can be chosen without looking at a labelled image."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_RADIUS = (0.05, 0.14)
_SHIFT = (0.2, 0.5)
_TISSUE = 26  # of 255: darker than 0.1 counts as background


def with_anomaly(image: Tensor, donor: Tensor, generator: torch.Generator) -> Tensor:
    """Puts one soft-edged ellipse into an image: tissue from elsewhere, or a change of brightness.

    The first is CutPaste (Li et al., CVPR 2021) with an elliptical patch of another
    image, the second a lesion that is brighter or darker than what surrounds it.

    Args:
        image: ``(3, S, S)`` uint8.
        donor: Another image of the same task, where the tissue is taken from.
        generator: Source of randomness.

    Returns:
        A copy with the anomaly, ``(3, S, S)`` uint8.
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    side = image.shape[-1]
    tissue = (image.amax(dim=0) >= _TISSUE).nonzero()
    if not len(tissue):
        tissue = torch.ones(side, side).nonzero()
    row, column = tissue[int(torch.randint(len(tissue), (), generator=generator))].tolist()
    radii = uniform(*_RADIUS) * side, uniform(*_RADIUS) * side
    angle = uniform(0, math.pi)
    y, x = torch.meshgrid(torch.arange(side) - row, torch.arange(side) - column, indexing="ij")
    along = y * math.cos(angle) + x * math.sin(angle)
    across = x * math.cos(angle) - y * math.sin(angle)
    distance = (along / radii[0]).square() + (across / radii[1]).square()
    soft = torch.sigmoid((1 - distance) / 0.15)
    base = image.float()
    if uniform(0, 1) < 0.5:
        # At least a quarter of the side away, so that it is not the same tissue again.
        moves = [int(uniform(0.25, 0.75) * side) for _ in range(2)]
        lesion = donor.float().roll((moves[0], moves[1]), dims=(1, 2))
    else:
        sign = -1 if uniform(0, 1) < 0.5 else 1
        # Away from the nearer end of the range, or there would be nothing to see.
        level = float(base[:, row, column].mean())
        sign = 1 if level < 60 else -1 if level > 195 else sign
        lesion = base + sign * 255 * uniform(*_SHIFT)
    return (base * (1 - soft) + lesion * soft).round().clamp(0, 255).to(torch.uint8)
