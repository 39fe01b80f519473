"""Smoothing inside a mask, by distances in mm."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.grid import BoolArray, FloatArray, Millimetres


def masked_gaussian(
    values: FloatArray, known: BoolArray, sigma_mm: Millimetres, spacing: Millimetres
) -> FloatArray:
    """Smooths what is known of an array; what is not known neither counts nor spreads.

    Args:
        values: Any; read where known only.
        known: Where values count.
        sigma_mm: Standard deviation along each axis.
        spacing: Of the array in mm.

    Returns:
        The weighted mean of known values near by; NaN where there are none.
    """
    sigma = [width / step for width, step in zip(sigma_mm, spacing, strict=True)]
    weight = known.astype(np.float32)
    total = np.where(known, values, 0).astype(np.float32)
    smooth = ndimage.gaussian_filter(total, sigma, mode="constant", truncate=3)
    share = ndimage.gaussian_filter(weight, sigma, mode="constant", truncate=3)
    near = share > 1e-3
    return np.where(near, smooth / np.where(near, share, 1), np.nan).astype(np.float32)
