"""The channel of aligned features: how unlike what a network sees near by in the references a place is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.common_grid import CommonGrid
from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.anatomy.head_mr import mni_template
from napari_d24fad.detection.channels.channel import Described
from napari_d24fad.detection.channels.seen import CELL, seen
from napari_d24fad.detection.channels.volume import WorkingVolume

_BRIGHTEST = 1.5  # of the median of the organ: white in the pictures that the network is given
_PARTS = 32  # principal components that are kept
_STEPS = [step for step in product((-1, 0, 1), repeat=3) if sum(map(abs, step)) <= 2]


@dataclass(frozen=True, slots=True)
class AlignedFeatures:
    """Distance of the features of a place from those of the most alike of 19 places of a reference.

    For scans on one common grid only, their values in parts of the median. Features are those of the
    teacher's first two stages in axial slices, each of unit length, in the first 32 principal components
    of those of the MNI152 template. The same for brighter and darker.

    Attributes:
        softening: See `PairChannel.softening`.
        nearest: See `PairChannel.nearest`.
    """

    softening: float = 0.5
    nearest: int = 3
    signed: bool = False
    name: str = "features"
    meaning: str = "unlike the references in texture"

    def describe(self, volume: WorkingVolume) -> Described:
        """Returns what is compared of a scan.

        Returns:
            ``index`` (3, n) of the counted voxels, ``counted`` of the whole grid, ``corner`` (3,) and
            ``features`` (slices, rows, columns, 32) float16 of cells of 1 x 2 x 2 voxels from there.
        """
        mask, grid = volume.anatomy.mask, volume.anatomy.grid
        values = np.where(mask, volume.values, 0)
        box = tuple(slice(0, length) for length in mask.shape)
        if isinstance(grid, CommonGrid):
            # What a scan does not show is filled in: an edge would be a departure of its own.
            usual = grid.template.values
            shown = mask & (usual > 0)
            middle = float(np.median(usual[shown])) if shown.any() else 1.0
            values = np.where(mask, values, usual / np.float32(middle))
            box = ndimage.find_objects((usual > 0).astype(np.int8))[0]
        return {
            "index": np.stack(np.nonzero(volume.counted)).astype(np.int16),
            "counted": volume.counted,
            "corner": np.array([part.start for part in box], np.int16),
            "features": _features(values[box]).astype(np.float16),
        }

    def distance(self, query: Described, reference: Described) -> FloatArray:
        """See `PairChannel.distance`; NaN where the reference shows nothing."""
        index = query["index"]
        if not index.size:
            return np.zeros(0, np.float32)
        own = query["features"].astype(np.float32)
        others = np.pad(
            reference["features"].astype(np.float32), [(1, 1), (1, 1), (1, 1), (0, 0)], mode="edge"
        )
        best = np.full(own.shape[:3], np.inf, np.float32)
        for step in _STEPS:
            there = tuple(slice(1 + by, 1 + by + length) for by, length in zip(step, own.shape, strict=False))
            apart = own - others[there]
            np.minimum(best, np.einsum("zyxc,zyxc->zyx", apart, apart), out=best)
        at = (index - query["corner"][:, np.newaxis]).astype(np.float32)
        at[1:] = (at[1:] + 0.5) / CELL - 0.5
        found = ndimage.map_coordinates(np.sqrt(best), at, order=1, mode="nearest")
        return np.where(reference["counted"][tuple(index)], found, np.nan).astype(np.float32)


def _features(values: FloatArray) -> FloatArray:
    """Features of the slices of a volume whose values are parts of its median, in the components kept."""
    middle, parts = _components()
    return np.asarray((_seen(values) - middle) @ parts, np.float32)


@lru_cache(maxsize=1)
def _components() -> tuple[FloatArray, FloatArray]:
    """Mean and first principal components of the features of the template: the same for all scans."""
    template = mni_template()
    usual = template.volume.values
    box = ndimage.find_objects((usual > 0).astype(np.int8))[0]
    found = _seen(usual[box] / np.float32(np.median(usual[template.anatomy])))
    some = found.reshape(-1, found.shape[-1])[::7]
    middle = some.mean(axis=0)
    parts = np.linalg.svd(some - middle, full_matrices=False)[2][:_PARTS]
    return middle, np.ascontiguousarray(parts.T)


def _seen(values: FloatArray) -> FloatArray:
    return seen(np.clip(values / np.float32(_BRIGHTEST), 0, 1))
