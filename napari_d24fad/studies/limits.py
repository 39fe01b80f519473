"""How large an image may be: said once, for files that would fill the memory."""

from __future__ import annotations

import math
import os

from napari_d24fad.errors import Code, StudyError

DEFAULT_LIMIT_GIB = 8.0
"""Memory that the voxels of one scan may take, at four bytes each."""

LIMIT_VARIABLE = "D24FAD_MEMORY_LIMIT_GIB"
"""Environment variable that overrides the limit."""

_BYTES_PER_VALUE = 4


def memory_limit() -> float:
    """Returns the limit for the voxels of one scan, in bytes."""
    try:
        gibibytes = float(os.environ.get(LIMIT_VARIABLE, DEFAULT_LIMIT_GIB))
    except ValueError:
        gibibytes = DEFAULT_LIMIT_GIB
    return gibibytes * 2**30


def check_size(grid: tuple[int, ...], channels: int = 1) -> None:
    """Returns if a scan of this shape may be read.

    Args:
        grid: Number of voxels along each axis.
        channels: Values per voxel: 3 for colour.

    Raises:
        StudyError: ``TOO_LARGE`` if it would take more memory than the limit allows.
    """
    needed = math.prod(grid) * channels * _BYTES_PER_VALUE
    if needed > memory_limit():
        raise StudyError(
            Code.TOO_LARGE,
            f"It needs {needed / 2**30:.1f} GiB; {LIMIT_VARIABLE} sets the limit, now "
            f"{memory_limit() / 2**30:.1f} GiB.",
        )
