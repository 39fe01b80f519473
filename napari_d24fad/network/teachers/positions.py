"""Position embeddings of a vision transformer brought to another grid, as DINOv2's authors do it."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate

_OFFSET = 0.1


def resized(embeddings: Tensor, grid: tuple[int, int], *, registers: bool) -> Tensor:
    """Resizes the embeddings of places by bicubic interpolation, in float32.

    Meta's code (``interpolate_pos_encoding`` in dinov2) differs by variant, as training did:

    - Without registers, the scale factor is ``(grid + 0.1) / trained grid``. The 0.1 was meant against
      rounding, but the factor is also what places are computed with, so that it shifts them slightly.
    - With registers the offset is 0, and where the grid shrinks, it is smoothed first (antialias).

    Hugging Face's code has the second as it is, and the first without the offset: it differs from Meta's by
    some thousandths. We follow Meta, whose weights these are. On the trained grid nothing is changed.

    Args:
        embeddings: ``(1, M * M, C)``, row by row.
        grid: Rows and columns wanted.
        registers: Which variant this is.

    Returns:
        ``(1, rows * columns, C)``.
    """
    trained = round(embeddings.shape[1] ** 0.5)
    if grid == (trained, trained):
        return embeddings
    planes = embeddings.float().reshape(1, trained, trained, -1).permute(0, 3, 1, 2)
    if registers:
        found = interpolate(planes, size=grid, mode="bicubic", antialias=True)
    else:
        factor = ((grid[0] + _OFFSET) / trained, (grid[1] + _OFFSET) / trained)
        found = interpolate(planes, scale_factor=factor, mode="bicubic")
    return found.permute(0, 2, 3, 1).flatten(1, 2).to(embeddings.dtype)
