"""The channels of one scan by itself: its value, and how it differs from its other side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.grid import FloatArray, Millimetres
from napari_d24fad.detection.channels.smoothing import masked_gaussian
from napari_d24fad.detection.channels.volume import WorkingVolume


@dataclass(frozen=True, slots=True)
class Value:
    """The smoothed value.

    Attributes:
        softening: See `Channel.softening`.
        sigma_mm: Smoothing along (z, y, x).
    """

    softening: float
    sigma_mm: Millimetres = (2.0, 1.5, 1.5)
    name: str = "value"
    meaning: str = "{side} than the references"

    def measure(self, volume: WorkingVolume) -> FloatArray:
        """See `Channel.measure`."""
        return smoothed(volume, self.sigma_mm)


@dataclass(frozen=True, slots=True)
class Asymmetry:
    """How much higher a place is than anything near its mirror place in the same scan.

    Attributes:
        softening: See `Channel.softening`.
        sigma_mm: Smoothing along (z, y, x).
        reach_mm: Radius around the mirror place that is searched.
    """

    softening: float
    sigma_mm: Millimetres = (2.0, 2.2, 2.2)
    reach_mm: float = 6.0
    name: str = "asymmetry"
    meaning: str = "{side} than the other side"

    def measure(self, volume: WorkingVolume) -> FloatArray | None:
        """See `Channel.measure`."""
        mirror = volume.place.mirror
        if mirror is None:
            return None
        smooth = smoothed(volume, self.sigma_mm)
        spacing = volume.anatomy.grid.spacing
        highest = ndimage.maximum_filter(
            np.where(np.isfinite(smooth), smooth, -np.inf),
            footprint=_ball(self.reach_mm, spacing),
            mode="nearest",
        )
        mirrored = _taken(highest, mirror)
        known = np.isfinite(mirrored) & np.isfinite(smooth)
        return np.where(known, smooth - np.where(known, mirrored, 0), np.nan).astype(np.float32)


def smoothed(volume: WorkingVolume, sigma_mm: Millimetres) -> FloatArray:
    """Returns the values smoothed by a Gaussian over counted voxels; NaN where not counted."""
    smooth = masked_gaussian(volume.values, volume.counted, sigma_mm, volume.anatomy.grid.spacing)
    return np.where(volume.counted, smooth, np.nan).astype(np.float32)


def _ball(radius: float, spacing: Millimetres) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Returns the voxels within a radius of the middle one."""
    reach = [int(radius / step) for step in spacing]
    offsets = np.meshgrid(
        *(np.arange(-n, n + 1) * step for n, step in zip(reach, spacing, strict=True)), indexing="ij"
    )
    return np.asarray(sum(offset**2 for offset in offsets) <= radius**2 + 1e-6)


def _taken(array: FloatArray, index: FloatArray) -> FloatArray:
    """Returns the values of the voxels nearest to places ``(3, ...)``; NaN beyond the array."""
    nearest = np.rint(index).astype(np.intp)
    inside = np.ones(nearest.shape[1:], bool)
    for axis, length in enumerate(array.shape):
        inside &= (nearest[axis] >= 0) & (nearest[axis] < length)
        np.clip(nearest[axis], 0, length - 1, out=nearest[axis])
    return np.where(inside, array[tuple(nearest)], np.nan).astype(np.float32)
