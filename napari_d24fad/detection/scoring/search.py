"""The local search of the default scoring: each position against its neighbourhood in every support."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

_MANY = 8


def local_likeness(query: Tensor, supports: Tensor, radius: int) -> Tensor:
    """Highest cosine of each query position to the positions of each support within reach.

    Args:
        query: ``(N, C, H, W)`` of unit length along C.
        supports: ``(S, C, H, W)`` likewise.
        radius: Rows and columns around the same position that are searched.

    Returns:
        ``(N, S, H, W)``.
    """
    count, channels, height, width = query.shape
    # A few columns with the window around them, as one batched matrix product: far fewer products
    # are thrown away than with whole rows, and the matrices are large enough for a fast kernel.
    block = _block(count, width)
    blocks, window = width // block, block + 2 * radius
    own = query.reshape(count, channels, height, blocks, block).permute(2, 3, 0, 4, 1)
    own = own.reshape(height * blocks, count * block, channels)
    padded = pad(supports, (radius, radius, radius, radius), mode="replicate").permute(2, 3, 1, 0)
    windows = padded.contiguous().unfold(1, window, block).transpose(-1, -2)
    windows = windows.reshape(height + 2 * radius, blocks, channels, -1)
    places = torch.arange(window, device=query.device) - radius
    far = (places - torch.arange(block, device=query.device)[:, None]).abs() > radius
    unreachable = torch.where(far, -torch.inf, 0.0)[..., None].to(query.dtype)
    best: Tensor | None = None
    for offset in range(2 * radius + 1):
        rows = windows[offset : offset + height].reshape(height * blocks, channels, -1)
        cosines = torch.bmm(own, rows).reshape(height * blocks, count, block, window, -1)
        highest = (cosines + unreachable).amax(dim=3)
        best = highest if best is None else torch.maximum(best, highest)
    assert best is not None  # the loop runs at least once
    best = best.reshape(height, blocks, count, block, -1).permute(2, 4, 0, 1, 3)
    return best.reshape(count, -1, height, width)


def _block(count: int, width: int) -> int:
    """Columns per product, measured on CPUs: the more queries, the fewer columns make it large enough."""
    wanted = 2 if count >= _MANY else 4
    return wanted if width % wanted == 0 else width
