"""The channel of placed features: how unlike what a network sees near by in the references a place is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray, Millimetres
from napari_d24fad.detection.channels.channel import Described
from napari_d24fad.detection.channels.near import near_blocks, nearest
from napari_d24fad.detection.channels.seen import CELL, seen
from napari_d24fad.detection.channels.volume import WorkingVolume

_MARGIN = 8  # voxels around the anatomy, so that the border of the picture is not seen in it


@dataclass(frozen=True, slots=True)
class PlacedFeatures:
    """Distance of the features of a place from the most alike of a reference near the same place.

    As `AlignedFeatures`, for scans that lie on grids of their own. Outside the anatomy pictures are filled
    with what is commonest in it, so that its outline is no edge. The same for brighter and darker.

    Attributes:
        lowest: Value that is black in the pictures that the network is given.
        highest: Value that is white.
        softening: See `PairChannel.softening`.
        step: Every how many voxels along rows and columns a place is compared.
        block_mm: Places are compared block by block of the common space, along (z, y, x).
        reach_mm: How far around a block the places of a reference are taken from.
        nearest: See `PairChannel.nearest`.
    """

    lowest: float
    highest: float
    softening: float = 0.3
    step: int = 3
    block_mm: Millimetres = (10.0, 16.0, 16.0)
    reach_mm: Millimetres = (6.0, 12.0, 12.0)
    nearest: int = 3
    signed: bool = False
    name: str = "features"
    meaning: str = "unlike the references in pattern"

    def describe(self, volume: WorkingVolume) -> Described:
        """Returns float16 ``features`` (n, channels), ``places`` (3, n) in mm, ``index`` (3, n)."""
        mask = volume.anatomy.mask
        chosen = np.zeros(mask.shape, bool)
        chosen[:, self.step // 2 :: self.step, self.step // 2 :: self.step] = True
        z, y, x = index = np.nonzero(chosen & volume.counted)
        box = tuple(
            slice(max(int(line[0]) - _MARGIN, 0), int(line[-1]) + 1 + _MARGIN) if line.size else slice(0, 1)
            for line in (np.flatnonzero(mask.any(axis=axes)) for axes in ((0, 2), (0, 1)))
        )
        values = np.where(mask, volume.values, 0)[:, *box]  # 0 is the commonest value
        width = self.highest - self.lowest
        pictures = np.clip((values - np.float32(self.lowest)) / np.float32(width), 0, 1)
        features = seen(pictures, -self.lowest / width)
        row, column = ((at - part.start) // CELL for at, part in zip((y, x), box, strict=True))
        return {
            "features": features[z, row, column].astype(np.float16),
            "places": volume.place.coordinates[:, z, y, x],
            "index": np.stack(index).astype(np.int16),
        }

    def distance(self, query: Described, reference: Described) -> FloatArray:
        """See `PairChannel.distance`; NaN where no place of the reference is near."""
        own, others = (each["features"].astype(np.float32) for each in (query, reference))
        norms = (others**2).sum(axis=1)
        found = np.full(len(own), np.nan, np.float32)
        for members, near in near_blocks(query["places"], reference["places"], self.block_mm, self.reach_mm):
            mine, theirs = own[members], others[near]
            alike = theirs[nearest(mine, theirs, norms[near])]
            found[members] = ((mine - alike) ** 2).sum(axis=1)
        return np.sqrt(found)
