"""What little is needed to beat: bright or dark places, and a z-score in the box of the anatomy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from napari_d24fad.evaluation.volumes.anatomy import FindMask, anatomy_mask
from napari_d24fad.evaluation.volumes.levels import Levels
from napari_d24fad.metrics.volumes import BoolArray, Examined, FloatArray
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.studies.scan import Scan

SIGMA_MM = 2.5
"""Smoothing of the scan before anything is compared (Gaussian)."""

BRIGHTER, DARKER, BOTH = "brighter", "darker", "both"
DIRECTIONS = (BRIGHTER, DARKER, BOTH)

_BOX = (48, 64, 64)
"""Cells of the box that scans are compared in, along (slices, rows, columns)."""

_FEWEST = 2
_LEAST_SPREAD = 0.5


def smoothed(scan: Scan, mask: BoolArray) -> FloatArray:
    """Smooths a scan within its anatomy, in units that compare between scans.

    Args:
        scan: A grey volume.
        mask: Its anatomy.

    Returns:
        Deviations from the median of the anatomy over its median absolute deviation, smoothed by
        `SIGMA_MM`; NaN outside.
    """
    inside = np.where(mask, scan.voxels, 0).astype(np.float32)
    known = np.asarray(scan.voxels[mask], np.float32)
    middle = float(np.median(known))
    spread = float(np.median(np.abs(known - middle))) or float(known.std()) or 1.0
    sigma = [SIGMA_MM / length for length in scan.spacing]
    weight = ndimage.gaussian_filter(mask.astype(np.float32), sigma, truncate=3)
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
    find: FindMask = anatomy_mask

    @property
    def name(self) -> str:
        """See `Method.name`."""
        return "brightest place" if self.sign > 0 else "darkest place"

    def prepare(self, references: Sequence[Scan]) -> PreparedExtreme:
        """See `Method.prepare`."""
        maps = [(self.map(scan, self.find(scan)), float(np.prod(scan.spacing))) for scan in references]
        return PreparedExtreme(self, Levels.learn(maps))

    def map(self, scan: Scan, mask: BoolArray) -> FloatArray:
        """Returns the map of a scan; NaN outside the mask."""
        return np.float32(self.sign) * smoothed(scan, mask)


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
        mask = self.method.find(query)
        return self.levels.examined(query, self.method.map(query, mask), mask)


@dataclass(frozen=True, slots=True)
class BoxZScore:
    """How far a voxel is from the references at its position in the box of the anatomy.

    Attributes:
        direction: One of `DIRECTIONS`.
        find: Finds the anatomy.
    """

    direction: str = BOTH
    find: FindMask = anatomy_mask

    @property
    def name(self) -> str:
        """See `Method.name`."""
        return "z-score in the box"

    def prepare(self, references: Sequence[Scan]) -> PreparedBoxZScore:
        """See `Method.prepare`."""
        boxed = [_Boxed.of(scan, self.find) for scan in references]
        cells = np.stack([each.cells() for each in boxed])
        maps = []
        for at, (each, scan) in enumerate(zip(boxed, references, strict=True)):
            mean, spread = _statistics(np.delete(cells, at, axis=0))
            maps.append((each.departure(mean, spread, self.direction), float(np.prod(scan.spacing))))
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
        boxed = _Boxed.of(query, self.method.find)
        values = boxed.departure(self.mean, self.spread, self.method.direction)
        return self.levels.examined(query, values, boxed.mask)


@dataclass(frozen=True, slots=True, eq=False)
class _Boxed:
    """A scan with the box of its anatomy, which is resampled to `_BOX`."""

    scan: Scan
    mask: BoolArray
    values: FloatArray

    @classmethod
    def of(cls, scan: Scan, find: FindMask) -> _Boxed:
        mask = find(scan)
        return cls(scan, mask, smoothed(scan, mask))

    def cells(self) -> FloatArray:
        """Values in the box, NaN where it holds no anatomy."""
        mask, values = self._upright()
        box = _box(mask)
        weight = _resample(mask[box].astype(np.float32), _BOX)
        mean = _resample(np.where(mask[box], values[box], 0).astype(np.float32), _BOX)
        inside = weight > 0.5
        return np.where(inside, mean / np.where(inside, weight, 1), np.nan).astype(np.float32)

    def departure(self, mean: FloatArray, spread: FloatArray, direction: str) -> FloatArray:
        """Map on the grid of the scan: NaN outside the anatomy, 0 where the references have none."""
        mask, values = self._upright()
        box = _box(mask)
        shape = mask[box].shape
        z = (values[box] - _resample(mean, shape)) / _resample(spread, shape)
        signed = {BRIGHTER: z, DARKER: -z, BOTH: np.abs(z)}[direction]
        upright = np.full(mask.shape, np.nan, np.float32)
        upright[box] = np.where(mask[box], np.nan_to_num(signed), np.nan)
        return np.ascontiguousarray(canonical_orientation(self.scan).invert(upright))

    def _upright(self) -> tuple[BoolArray, FloatArray]:
        orientation = canonical_orientation(self.scan)
        return orientation.apply(self.mask), orientation.apply(self.values)


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
