"""The channel of aligned patches: how unlike the most alike place near by in the references a place is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.detection.channels.channel import Described
from napari_d24fad.detection.channels.volume import WorkingVolume

_REACH = 1
_FURTHEST = 2  # squared, in voxels: the place itself, its neighbours by faces and by edges
_STEPS = [
    step
    for step in product(range(-_REACH, _REACH + 1), repeat=3)
    if sum(each * each for each in step) <= _FURTHEST
]
_WINDOW = 3  # voxels


@dataclass(frozen=True, slots=True)
class AlignedPatches:
    """Root mean square difference of the 27 values around a place from those around the most alike of 19.

    For scans on one common grid only. Where the value of a single voxel is found near by in most
    references, as grey matter is beside white, that of 27 voxels together seldom is. The same for brighter
    and darker.

    Attributes:
        softening: See `PairChannel.softening`.
        nearest: See `PairChannel.nearest`.
    """

    softening: float = 0.5
    nearest: int = 3
    signed: bool = False
    name: str = "patches"
    meaning: str = "unlike the references in texture"

    def describe(self, volume: WorkingVolume) -> Described:
        """Returns ``index`` (3, n) of the counted voxels, ``values`` and ``counted`` of the whole grid."""
        counted = volume.counted
        return {
            "index": np.stack(np.nonzero(counted)).astype(np.int16),
            "values": np.where(counted, volume.values, 0).astype(np.float32),
            "counted": counted,
        }

    def distance(self, query: Described, reference: Described) -> FloatArray:
        """See `PairChannel.distance`; NaN where the reference shows nothing."""
        index = tuple(query["index"])
        if not index[0].size:
            return np.zeros(0, np.float32)
        box = tuple(slice(int(each.min()), int(each.max()) + 1) for each in index)
        own, counted = query["values"][box], query["counted"][box]
        around = [(_REACH, _REACH)] * 3
        values = np.pad(reference["values"], around)
        shown = np.pad(reference["counted"], around)
        best = np.full(own.shape, np.inf, np.float32)
        for step in _STEPS:
            there = tuple(
                slice(part.start + _REACH + by, part.stop + _REACH + by)
                for part, by in zip(box, step, strict=True)
            )
            squares = np.where(counted & shown[there], own - values[there], 0)
            squares *= squares
            for axis in range(3):
                squares = ndimage.uniform_filter1d(squares, _WINDOW, axis, mode="constant")
            np.minimum(best, squares, out=best)
        at = tuple(each - part.start for each, part in zip(index, box, strict=True))
        distance = np.sqrt(np.maximum(best[at], 0))
        return np.where(reference["counted"][index], distance, np.nan).astype(np.float32)
