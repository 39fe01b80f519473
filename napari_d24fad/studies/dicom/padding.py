"""Pixel padding: stored values that stand for nothing that was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from napari_d24fad.studies.scan import Voxels


def without_padding(pixels: Voxels, stored: npt.NDArray[Any], header: Dataset) -> Voxels:
    """Returns grey values with NaN where the stored values are declared as padding.

    Args:
        pixels: Real-world values, float32, of any shape.
        stored: The stored values they came from, of the same shape.
        header: May hold Pixel Padding Value (0028,0120) and Range Limit (0028,0121), which
            are stored values.
    """
    value = header.get("PixelPaddingValue")
    if not isinstance(value, int):
        return pixels
    limit = header.get("PixelPaddingRangeLimit")
    ends = (value, limit if isinstance(limit, int) else value)
    low, high = sorted(_as_stored(end, stored.dtype, int(header.BitsStored)) for end in ends)
    return np.where((stored >= low) & (stored <= high), np.float32(np.nan), pixels)


def _as_stored(value: int, dtype: np.dtype[Any], bits: int) -> int:
    """Returns a padding value as it is stored: some state -2000 of signed values as 63536, or the reverse."""
    signed = dtype.kind == "i"
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if low <= value <= high:
        return value
    # By all bits that a value takes, or by those that are stored: -2048 as 2048 of twelve.
    for width in (8 * dtype.itemsize, *([bits] if 0 <= value < 2**bits else [])):
        wrapped: int = (value - low) % 2**width + low
        if low <= wrapped <= high:
            return wrapped
    return value
