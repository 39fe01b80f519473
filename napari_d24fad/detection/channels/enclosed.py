"""The channel of enclosed places: how much higher a place is than all around it, in the scan itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.grid import FloatArray, Millimetres
from napari_d24fad.anatomy.itk import reconstructed
from napari_d24fad.detection.channels.smoothing import masked_gaussian
from napari_d24fad.detection.channels.volume import WorkingVolume


@dataclass(frozen=True, slots=True)
class Enclosed:
    """By how much values fall on the best way from a place to the border of the anatomy.

    0 where a way leads outside on which nothing is lower: folds of grey matter and what lies beside white
    matter, however they are shaped, go on to the border, but a mass in the midst of them does not.
    What morphological reconstruction by dilation from the border leaves (Vincent 1993,
    doi 10.1109/83.217222), voxels joined by faces.

    Attributes:
        softening: See `Channel.softening`.
        sigma_mm: Smoothing along (z, y, x) before: noise is enclosed too.
    """

    softening: float
    sigma_mm: Millimetres
    name: str = "enclosed"
    meaning: str = "{side} than all around it"

    def measure(self, volume: WorkingVolume) -> FloatArray | None:
        """See `Channel.measure`; None where there is no anatomy."""
        mask = volume.anatomy.mask
        if not mask.any():
            return None
        box = ndimage.find_objects(mask.astype(np.int8))[0]
        own = np.pad(mask[box], 1)
        smooth = masked_gaussian(volume.values, mask, self.sigma_mm, volume.anatomy.grid.spacing)
        values = np.pad(smooth[box], 1)
        lowest = np.float32(values[own].min())
        limit = np.where(own, values, lowest)
        seed = np.where(own & ~ndimage.binary_erosion(own), values, lowest)
        grown = reconstructed(seed, limit)
        above = np.full(mask.shape, np.nan, np.float32)
        inner = (slice(1, -1),) * 3
        above[box] = (limit - grown)[inner]
        return np.where(volume.counted, above, np.nan).astype(np.float32)
