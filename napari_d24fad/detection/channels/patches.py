"""The channel of small patches: how unlike a query is to the most alike places of the references."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.grid import FloatArray, Millimetres
from napari_d24fad.detection.channels.channel import Described
from napari_d24fad.detection.channels.near import near_blocks, nearest
from napari_d24fad.detection.channels.smoothing import masked_gaussian
from napari_d24fad.detection.channels.volume import WorkingVolume

_HALF = 2  # voxels on each side of the middle one


@dataclass(frozen=True, slots=True)
class Patches:
    """How far 5 x 5 values, and the means above and below, exceed the most alike patch near the same place.

    Alike is what is nearest in all values; only what is higher in the query counts, so that the
    channel has a direction as the others do.

    Attributes:
        softening: See `PairChannel.softening`.
        step: Every how many voxels along rows and columns a patch is compared.
        block_mm: Patches are compared block by block of the common space, along (z, y, x).
        reach_mm: How far around a block the patches of a reference are taken from.
        nearest: See `PairChannel.nearest`.
    """

    softening: float = 0.3
    step: int = 2
    block_mm: Millimetres = (10.0, 16.0, 16.0)
    reach_mm: Millimetres = (6.0, 12.0, 12.0)
    nearest: int = 3
    signed: bool = True
    name: str = "patches"
    meaning: str = "unlike the references in texture"

    def describe(self, volume: WorkingVolume) -> Described:
        """Returns float32 ``patches`` (n, 27), ``places`` (3, n) in mm, ``index`` (3, n)."""
        spacing = volume.anatomy.grid.spacing
        inside = volume.anatomy.mask
        values = np.where(inside, volume.values, 0)
        filled = np.nan_to_num(
            masked_gaussian(values, inside, (0, 0.8 * spacing[1], 0.8 * spacing[2]), spacing)
        )
        chosen = np.zeros(inside.shape, bool)
        chosen[:, :: self.step, :: self.step] = True
        index = np.nonzero(chosen & volume.counted)
        padded = np.pad(filled, ((1, 1), (_HALF, _HALF), (_HALF, _HALF)), mode="edge")
        mean = np.pad(
            ndimage.uniform_filter(filled, (1, 3, 3), mode="nearest"), ((1, 1), (0, 0), (0, 0)), mode="edge"
        )
        z, y, x = index
        size = 2 * _HALF + 1
        columns = [padded[z + 1, y + dy, x + dx] for dy in range(size) for dx in range(size)]
        # A mean of nine values varies less than one of them, so it counts double.
        columns += [2 * mean[z + dz, y, x] for dz in (0, 2)]
        return {
            "patches": np.stack(columns, axis=1).astype(np.float32),
            "places": volume.place.coordinates[:, z, y, x],
            "index": np.stack(index).astype(np.int32),
        }

    def distance(self, query: Described, reference: Described) -> FloatArray:
        """See `PairChannel.distance`; NaN where no patch of the reference is near."""
        best = np.full(query["patches"].shape[0], np.nan, np.float32)
        patches = reference["patches"]
        norms = (patches**2).sum(axis=1)
        for members, near in near_blocks(query["places"], reference["places"], self.block_mm, self.reach_mm):
            own, others = query["patches"][members], patches[near]
            alike = others[nearest(own, others, norms[near])]
            best[members] = (np.maximum(own - alike, 0) ** 2).sum(axis=1)
        return np.sqrt(best)
