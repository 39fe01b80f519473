"""Cosine distances: as training losses over whole feature maps and as anomaly maps per position."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, interpolate

from napari_d24fad.network.cosine import cosine


def distance_loss(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """Sum over scales of the mean cosine distance of flattened feature maps.

    With student and teacher features of a query this is the paper's TSD loss; with
    student features of the query and of the weighted supports, its SSD loss.

    Args:
        first: Per scale ``(N, C, H, W)``.
        second: The same shapes.

    Returns:
        A scalar.
    """
    return torch.stack(
        [
            (1 - cosine_similarity(a.flatten(1), b.flatten(1))).mean()
            for a, b in zip(first, second, strict=True)
        ]
    ).sum()


def distance_maps(first: Sequence[Tensor], second: Sequence[Tensor], side: int) -> Tensor:
    """Cosine distance at each position, enlarged to the input; the paper's map is their sum over scales.

    Args:
        first: Per scale ``(N, C, H, W)``.
        second: The same shapes.
        side: Side of the network input in pixels.

    Returns:
        ``(N, scales, side, side)``, at least 0; not smoothed.
    """
    scales = [enlarge(1 - cosine(a, b), side) for a, b in zip(first, second, strict=True)]
    return torch.stack(scales, dim=1)


def enlarge(maps: Tensor, side: int) -> Tensor:
    """Enlarges ``(N, H, W)`` to ``(N, side, side)`` as published (bilinear, corners aligned)."""
    # As matrix products, which take a quarter of the time of torch's own for maps this small.
    rows, columns = (_enlarging(size, side, maps.device).to(maps.dtype) for size in maps.shape[1:])
    return rows @ maps @ columns.T


@cache
def _enlarging(size: int, side: int, device: torch.device) -> Tensor:
    """What torch makes of a line of ``size`` values, as a matrix ``(side, size)``."""
    with torch.inference_mode(False):  # also used where gradients are
        line = torch.eye(size, device=device)[None, None]
        return interpolate(line, (side, size), mode="bilinear", align_corners=True)[0, 0]
