"""The channel of excess: by how much a place is above all that a reference shows around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.grid import FloatArray, Millimetres
from napari_d24fad.detection.channels.channel import Described
from napari_d24fad.detection.channels.table import Cells
from napari_d24fad.detection.channels.value import smoothed
from napari_d24fad.detection.channels.volume import WorkingVolume


@dataclass(frozen=True, slots=True)
class Excess:
    """The smoothed value minus the highest of a reference within a reach of the same place.

    What is bright somewhere near in every reference, such as slices that hold a part of bone, is no
    departure, wherever exactly it lies.

    Attributes:
        softening: See `PairChannel.softening`.
        cells: The coarse grid that the highest values of a reference are kept on.
        reach: Cells on each side that are looked at.
        sigma_mm: Smoothing along (z, y, x).
        nearest: See `PairChannel.nearest`.
    """

    softening: float
    cells: Cells
    reach: int = 2
    sigma_mm: Millimetres = (2.0, 1.5, 1.5)
    nearest: int = 3
    signed: bool = True
    name: str = "excess"
    meaning: str = "{side} than all references near the place"

    def describe(self, volume: WorkingVolume) -> Described:
        """Returns ``index`` (3, n) of the counted voxels, their ``values``, ``cell``, and ``highest``."""
        values = smoothed(volume, self.sigma_mm)[volume.counted]
        cell = np.rint(self.cells.index(volume)).astype(np.int16)
        highest = np.full(self.cells.shape, -np.inf, np.float32)
        np.maximum.at(highest, tuple(cell.astype(np.intp)), values)
        return {
            "index": np.stack(np.nonzero(volume.counted)).astype(np.int16),
            "values": values,
            "cell": cell,
            "highest": ndimage.maximum_filter(highest, 2 * self.reach + 1, mode="constant", cval=-np.inf),
        }

    def distance(self, query: Described, reference: Described) -> FloatArray:
        """See `PairChannel.distance`; NaN where the reference has nothing near."""
        limit = reference["highest"][tuple(query["cell"].astype(np.intp))]
        known = np.isfinite(limit)
        return np.where(known, query["values"] - np.where(known, limit, 0), np.nan).astype(np.float32)
