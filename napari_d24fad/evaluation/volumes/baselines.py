"""What little is needed to beat: bright or dark places, and a z-score in the box of the anatomy.

They work on the working grid of the anatomy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.evaluation.volumes.anatomy import FindAnatomy
from napari_d24fad.evaluation.volumes.levels import Levels
from napari_d24fad.metrics.volumes import BoolArray, Examined, FloatArray
from napari_d24fad.studies.scan import Scan

SIGMA_MM = 2.5
"""Smoothing of the scan before anything is compared (Gaussian)."""

BRIGHTER, DARKER, BOTH = "brighter", "darker", "both"
DIRECTIONS = (BRIGHTER, DARKER, BOTH)

_BOX = (48, 64, 64)
"""Cells of the box that scans are compared in, along (slices, rows, columns)."""

_FEWEST = 2
_LEAST_SPREAD = 0.5


def smoothed(anatomy: Anatomy) -> FloatArray:
    """Smooths a scan within its anatomy, in units that compare between scans.

    Args:
        anatomy: Of a grey volume.

    Returns:
        On the working grid, deviations from the median of the anatomy over its median absolute
        deviation, smoothed by `SIGMA_MM`; NaN outside.
    """
    mask = anatomy.mask & np.isfinite(anatomy.values)
    known = anatomy.values[mask]
    middle = float(np.median(known))
    spread = float(np.median(np.abs(known - middle))) or float(known.std()) or 1.0
    sigma = [SIGMA_MM / length for length in anatomy.grid.spacing]
    weight = ndimage.gaussian_filter(mask.astype(np.float32), sigma, truncate=3)
    inside = np.where(mask, anatomy.values, 0).astype(np.float32)
    mean = ndimage.gaussian_filter(inside, sigma, truncate=3) / np.maximum(weight, np.float32(1e-6))
    return np.where(mask, (mean - middle) / spread, np.nan).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Extreme:
    """The brightest or darkest place of the anatomy; references only set the level.

    Attributes:
        sign: 1 for bright, -1 for dark.
        find: Finds the anatomy.
    """

    sign: int
    find: FindAnatomy = find_anatomy

    @property
    def name(self) -> str:
        """See `Method.name`."""
        return "brightest place" if self.sign > 0 else "darkest place"

    def prepare(self, references: Sequence[Scan]) -> PreparedExtreme:
        """See `Method.prepare`."""
        found = [self.find(scan) for scan in references]
        return PreparedExtreme(self, Levels.learn([(self.map(each), each.grid.voxel_mm3) for each in found]))

    def map(self, anatomy: Anatomy) -> FloatArray:
        """Returns the map of a scan on its working grid."""
        return np.float32(self.sign) * smoothed(anatomy)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedExtreme:
    """See `Extreme`.

    Attributes:
        method: As given.
        levels: Of the references.
    """

    method: Extreme
    levels: Levels

    def examine(self, query: Scan) -> Examined:
        """See `Prepared.examine`."""
        anatomy = self.method.find(query)
        return self.levels.examined(self.method.map(anatomy), anatomy)


@dataclass(frozen=True, slots=True)
class BoxZScore:
    """How far a voxel is from the references at its position in the box of the anatomy.

    Attributes:
        direction: One of `DIRECTIONS`.
        find: Finds the anatomy.
    """

    direction: str = BOTH
    find: FindAnatomy = find_anatomy

    @property
    def name(self) -> str:
        """See `Method.name`."""
        return "z-score in the box"

    def prepare(self, references: Sequence[Scan]) -> PreparedBoxZScore:
        """See `Method.prepare`."""
        boxed = [_Boxed.of(self.find(scan)) for scan in references]
        cells = np.stack([each.cells() for each in boxed])
        maps = []
        for at, each in enumerate(boxed):
            mean, spread = _statistics(np.delete(cells, at, axis=0))
            maps.append((each.departure(mean, spread, self.direction), each.anatomy.grid.voxel_mm3))
        return PreparedBoxZScore(self, *_statistics(cells), Levels.learn(maps))


@dataclass(frozen=True, slots=True, eq=False)
class PreparedBoxZScore:
    """See `BoxZScore`.

    Attributes:
        method: As given.
        mean: Of the references in the cells of the box.
        spread: Their standard deviation there.
        levels: Of the references.
    """

    method: BoxZScore
    mean: FloatArray = field(repr=False)
    spread: FloatArray = field(repr=False)
    levels: Levels

    def examine(self, query: Scan) -> Examined:
        """See `Prepared.examine`."""
        boxed = _Boxed.of(self.method.find(query))
        values = boxed.departure(self.mean, self.spread, self.method.direction)
        return self.levels.examined(values, boxed.anatomy)


@dataclass(frozen=True, slots=True, eq=False)
class _Boxed:
    """A scan with the box of its anatomy, which is resampled to `_BOX`."""

    anatomy: Anatomy
    values: FloatArray

    @classmethod
    def of(cls, anatomy: Anatomy) -> _Boxed:
        return cls(anatomy, smoothed(anatomy))

    def cells(self) -> FloatArray:
        """Values in the box, NaN where it holds no anatomy."""
        known = np.isfinite(self.values)
        box = _box(self.anatomy.mask)
        weight = _resample(known[box].astype(np.float32), _BOX)
        mean = _resample(np.where(known[box], self.values[box], 0).astype(np.float32), _BOX)
        inside = weight > 0.5
        return np.where(inside, mean / np.where(inside, weight, 1), np.nan).astype(np.float32)

    def departure(self, mean: FloatArray, spread: FloatArray, direction: str) -> FloatArray:
        """Map on the working grid: NaN outside the anatomy, 0 where the references have none."""
        box = _box(self.anatomy.mask)
        values = self.values[box]
        z = (values - _resample(mean, values.shape)) / _resample(spread, values.shape)
        signed = {BRIGHTER: z, DARKER: -z, BOTH: np.abs(z)}[direction]
        found = np.full(self.values.shape, np.nan, np.float32)
        found[box] = np.where(np.isfinite(values), np.nan_to_num(signed), np.nan)
        return found


def _statistics(cells: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and spread in each cell, NaN where fewer than two references have anatomy."""
    known = ~np.isnan(cells)
    count = known.sum(axis=0)
    filled = np.where(known, cells, 0)
    mean = filled.sum(axis=0) / np.maximum(count, 1)
    variance = np.where(known, (cells - mean) ** 2, 0).sum(axis=0) / np.maximum(count - 1, 1)
    enough = count >= _FEWEST
    typical = float(np.median(variance[enough])) if enough.any() else 1.0
    # A few references agree by chance in some cells; what all cells show keeps the spread up.
    spread = np.sqrt(variance + _LEAST_SPREAD * typical + 1e-6)
    return (
        np.where(enough, mean, np.nan).astype(np.float32),
        np.where(enough, spread, np.nan).astype(np.float32),
    )


def _box(mask: BoolArray) -> tuple[slice, slice, slice]:
    first, second, third = ndimage.find_objects(mask.astype(np.uint8))[0]
    return first, second, third


def _resample(array: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Brings an array to another shape over the same extent, linearly."""
    scale = np.array(array.shape) / np.array(shape)
    return np.asarray(
        ndimage.affine_transform(
            array, scale, 0.5 * scale - 0.5, output_shape=shape, order=1, mode="nearest"
        ),
        np.float32,
    )
