"""Smoothing inside a mask, by distances in mm."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.grid import BoolArray, FloatArray, Millimetres


class MaskedGaussian:
    """Smooths what is known of arrays; what is not known neither counts nor spreads.

    Args:
        known: Where values count.
        sigma_mm: Standard deviation along each axis.
        spacing: Of the array in mm.
    """

    def __init__(self, known: BoolArray, sigma_mm: Millimetres, spacing: Millimetres) -> None:
        self._known = known
        self._sigma = [width / step for width, step in zip(sigma_mm, spacing, strict=True)]
        share = self._smoothed(known.astype(np.float32))
        self._near = share > 1e-3
        self._share = np.where(self._near, share, 1)

    def __call__(self, values: FloatArray) -> FloatArray:
        """Returns the weighted mean of known values near by; NaN where there are none."""
        total = np.where(self._known, values, 0).astype(np.float32)
        return np.where(self._near, self._smoothed(total) / self._share, np.nan).astype(np.float32)

    def _smoothed(self, values: FloatArray) -> FloatArray:
        smooth = ndimage.gaussian_filter(values, self._sigma, mode="constant", truncate=3)
        return np.asarray(smooth, np.float32)


def masked_gaussian(
    values: FloatArray, known: BoolArray, sigma_mm: Millimetres, spacing: Millimetres
) -> FloatArray:
    """Smooths one array; see `MaskedGaussian`."""
    return MaskedGaussian(known, sigma_mm, spacing)(values)
