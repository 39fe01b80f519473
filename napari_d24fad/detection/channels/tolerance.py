"""The channel of tolerance: what lies outside all that references show within a voxel of a place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.detection.channels.channel import Described
from napari_d24fad.detection.channels.volume import WorkingVolume


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a value exceeds the highest that a reference shows in the 27 voxels around it.

    For scans on one common grid only: places are compared voxel by voxel. A border that lies a voxel
    beside that of the references is no departure.

    Attributes:
        softening: See `PairChannel.softening`.
        nearest: See `PairChannel.nearest`.
        reach: Voxels on each side.
        most: What is further outside says no more, in units of the values.
    """

    softening: float = 0.5
    nearest: int = 3
    reach: int = 1
    most: float = 0.5
    signed: bool = True
    name: str = "tolerance"
    meaning: str = "{side} than all references near the place"

    def describe(self, volume: WorkingVolume) -> Described:
        """Returns ``index`` (3, n) of the counted voxels, their ``values`` and ``highest`` (n,)."""
        counted = volume.counted
        known = np.where(counted, volume.values, -np.inf)
        highest = ndimage.maximum_filter(known, 2 * self.reach + 1, mode="nearest")
        return {
            "index": np.stack(np.nonzero(counted)).astype(np.int16),
            "values": volume.values[counted].astype(np.float32),
            "highest": highest.astype(np.float32),
        }

    def distance(self, query: Described, reference: Described) -> FloatArray:
        """See `PairChannel.distance`; NaN where the reference shows nothing."""
        limit = reference["highest"][tuple(query["index"])]
        above = np.clip(query["values"] - limit, 0, self.most)
        return np.where(np.isfinite(limit), above, np.nan).astype(np.float32)
