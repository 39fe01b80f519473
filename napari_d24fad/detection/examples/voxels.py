"""Voxels of a volume as vectors, and in which direction those of lesions lie from those of references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.grid import BoolArray, FloatArray
from napari_d24fad.detection.atlas.measured import Key
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.channels.smoothing import masked_gaussian
from napari_d24fad.detection.channels.volume import WorkingVolume

_AROUND_MM = (4.0, 8.0)
"""How far around a place its map is averaged: a lesion of some size differs from a speck."""

_RIDGE = 1.0
"""Of the variance of each column over voxels of references: few lesions tell little of how columns differ."""

_LEAST = 1e-9
_ROWS = 1 << 15

Vectors = npt.NDArray[np.float64]
Index = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Voxels:
    """The voxels of the anatomy of one volume as vectors.

    Attributes:
        volume: The volume.
        values: ``(voxels, columns)``: each channel in each direction up to its cap, 0 where it says
            nothing, and the map of the references averaged around the place.
    """

    volume: WorkingVolume = field(repr=False)
    values: FloatArray = field(repr=False)

    @classmethod
    def of(
        cls,
        channels: Mapping[Key, FloatArray],
        fused: FloatArray,
        volume: WorkingVolume,
        references: AtlasReferences,
    ) -> Voxels:
        """Makes them of the maps of a volume.

        Args:
            channels: Calibrated, on the working grid.
            fused: The map by references alone; NaN outside the anatomy.
            volume: The volume, as far as it is scored.
            references: What it was held against.
        """
        plan, mask = references.plan, volume.anatomy.mask
        columns = [
            np.minimum(np.nan_to_num(found[mask]), plan.caps.get(name, np.inf))
            for (_, name), found in channels.items()
        ]
        known = np.isfinite(fused)
        box = box_of(known)
        for around in _AROUND_MM:
            smooth = np.full(mask.shape, np.nan, np.float32)
            sigma = (around, around, around)
            smooth[box] = masked_gaussian(fused[box], known[box], sigma, volume.anatomy.grid.spacing)
            columns.append(np.nan_to_num(smooth[mask]))
        return cls(volume, np.stack(columns, axis=1).astype(np.float32))

    def along(self, towards: Towards) -> FloatArray:
        """How far each voxel lies in a direction, in deviations of the references."""
        along = self.values @ towards.direction.astype(np.float32) - towards.middle
        return np.asarray(along / towards.spread, np.float32)

    def added(self, fused: FloatArray, more: FloatArray) -> FloatArray:
        """Adds to a map on the working grid what was found at each voxel."""
        raised = fused.copy()
        raised[self.volume.anatomy.mask] += more.astype(np.float32)
        return raised

    def within(self, region: BoolArray) -> npt.NDArray[np.intp]:
        """Which voxels lie in a region of the working grid."""
        return np.flatnonzero(region[self.volume.anatomy.mask])

    def mean(self, region: BoolArray) -> Vectors:
        """Mean vector of the voxels in a region of the working grid."""
        return np.asarray(self.values[self.within(region)].mean(axis=0, dtype=np.float64))

    def index(self, voxel: int) -> Index:
        """Where a voxel lies on the working grid."""
        flat = np.flatnonzero(self.volume.anatomy.mask)[voxel]
        one, two, three = (int(each) for each in np.unravel_index(flat, self.volume.anatomy.mask.shape))
        return one, two, three

    def count_of(self, mm3: float) -> int:
        """How many voxels a volume is; never more than a tenth of all."""
        most = max(1, len(self.values) // 10)
        return min(most, max(1, round(mm3 / self.volume.anatomy.grid.voxel_mm3)))


@dataclass(frozen=True, slots=True, eq=False)
class Towards:
    """A direction from voxels of references to those of lesions.

    Attributes:
        direction: ``(columns,)``.
        middle: Where voxels of references lie along it.
        spread: How much they vary.
    """

    direction: Vectors = field(repr=False)
    middle: float
    spread: float


class Normal:
    """How the voxels of references vary, all of them or all but those of one.

    Args:
        references: ``(voxels, columns)`` of each; two or more.
    """

    def __init__(self, references: Sequence[FloatArray]) -> None:
        self._counts = np.array([len(each) for each in references], np.float64)
        self._sums = np.stack([each.sum(axis=0, dtype=np.float64) for each in references])
        self._products = np.stack([_products(each) for each in references])

    def towards(self, lesions: Vectors, without: int | None = None) -> Towards:
        """Returns the direction to lesions.

        Args:
            lesions: ``(columns,)`` their mean.
            without: A reference that is left out; None for none.
        """
        middle, covariance = self._of(without)
        ridge = _RIDGE * np.diag(covariance) + _LEAST
        direction = np.asarray(np.linalg.solve(covariance + np.diag(ridge), lesions - middle), np.float64)
        spread = max(float(np.sqrt(direction @ covariance @ direction)), _LEAST)
        return Towards(direction, float(middle @ direction), spread)

    def alike(self, one: npt.NDArray[np.floating], others: npt.NDArray[np.floating]) -> Vectors:
        """How alike vectors ``(n, columns)`` are to one: the cosine of their departures, ``(n,)``."""
        middle, covariance = self._of(None)
        scale = np.sqrt(np.diag(covariance)) + _LEAST
        own, theirs = (one - middle) / scale, (others - middle) / scale
        lengths = np.linalg.norm(own) * np.linalg.norm(theirs, axis=1)
        return np.asarray(theirs @ own / np.maximum(lengths, _LEAST))

    def _of(self, without: int | None) -> tuple[Vectors, Vectors]:
        kept = np.arange(len(self._counts)) != (-1 if without is None else without)
        count = self._counts[kept].sum()
        middle = self._sums[kept].sum(axis=0) / count
        return middle, self._products[kept].sum(axis=0) / count - np.outer(middle, middle)


def _products(values: FloatArray) -> Vectors:
    """Sums of products of the columns, ``(columns, columns)``; few rows at once are doubled in precision."""
    parts = (values[at : at + _ROWS].astype(np.float64) for at in range(0, len(values), _ROWS))
    return np.asarray(sum(each.T @ each for each in parts))


def box_of(known: BoolArray) -> tuple[slice, ...]:
    """Returns the box around what is known."""
    lines = [np.flatnonzero(known.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    return tuple(slice(int(line[0]), int(line[-1]) + 1) for line in lines)
