"""Sums of a quantity over the places of the common space: the statistics of the references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.grid import FloatArray, Millimetres
from napari_d24fad.detection.channels.volume import WorkingVolume

_MARGIN = 2  # cells beyond the common box on each side, for places that lie outside it
_PRIOR = 0.16  # weight of the whole bin, as a part of what one reference weighs at a place


@dataclass(frozen=True, slots=True)
class Cells:
    """The coarse grid of the common space.

    Attributes:
        box: Size of the common space along (z, y, x) in mm.
        size: Edge of a cell in mm.
        sigma: Gaussian that sums are smoothed with, in mm.
        wide_bins: Bins that are rare and smoothed 1.6 times as wide.
        spread_mm: If above 0, sums are not smoothed: the mean is that of each cell, and the Gaussian of
            this width is for the spread about it. For scans on one grid, where a border between tissues
            would else count as spread of the references.
    """

    box: Millimetres
    size: float
    sigma: float
    wide_bins: tuple[int, ...] = ()
    spread_mm: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of cells along (z, y, x)."""
        first, second, third = (int(np.ceil(length / self.size)) + 2 * _MARGIN for length in self.box)
        return first, second, third

    def index(self, volume: WorkingVolume) -> FloatArray:
        """Returns the cell of each counted voxel, as float32 ``(3, voxels)`` within the grid."""
        index = volume.place.coordinates[:, volume.counted] / self.size + (_MARGIN - 0.5)
        limit = np.array(self.shape, np.float32)[:, np.newaxis] - 1
        return np.asarray(np.clip(index, 0, limit), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Smoothed sums over one or more scans, in mm3: they add and subtract.

    Attributes:
        moments: ``(3, bins, *cells)`` float32: of 1, of the quantity and of its square.
        scans: Over how many scans.
    """

    moments: FloatArray = field(repr=False)
    scans: int

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.moments + other.moments, self.scans + other.scans)

    def __mul__(self, share: float) -> Sums:
        """Lets scans count less."""
        return Sums(self.moments * np.float32(share), self.scans)

    def __sub__(self, other: Sums) -> Sums:
        """Leaves a scan out; what rounding leaves below zero is nothing."""
        rest = self.moments - other.moments
        np.maximum(rest[0], 0, out=rest[0])
        np.maximum(rest[2], 0, out=rest[2])
        return Sums(rest, self.scans - other.scans)


def sums_of(quantity: FloatArray, volume: WorkingVolume, cells: Cells) -> Sums:
    """Sums a quantity of one scan over the cells.

    Args:
        quantity: On the working grid; NaN does not count.
        volume: The scan.
        cells: The coarse grid.
    """
    values = quantity[volume.counted].astype(np.float64)
    known = np.isfinite(values)
    nearest = np.rint(cells.index(volume)[:, known]).astype(np.intp)
    bins = volume.bins[volume.counted][known].astype(np.intp)
    flat = np.ravel_multi_index((bins, *nearest), (volume.n_bins, *cells.shape))
    values = values[known]
    size = volume.n_bins * int(np.prod(cells.shape))
    voxel = volume.anatomy.grid.voxel_mm3
    moments = np.empty((3, volume.n_bins, *cells.shape), np.float32)
    for power in range(3):
        counted = np.bincount(flat, values**power * voxel, minlength=size)
        moments[power] = counted.reshape(volume.n_bins, *cells.shape)
    if cells.spread_mm:
        return Sums(moments, 1)
    sigma = cells.sigma / cells.size
    for index in range(volume.n_bins):
        wide = 1.6 if index in cells.wide_bins else 1.0
        for moment in moments:
            ndimage.gaussian_filter(
                moment[index], sigma * wide, output=moment[index], mode="constant", truncate=3
            )
    return Sums(moments, 1)


def total(parts: Sequence[Sums]) -> Sums:
    """Returns the sums over all scans."""
    together = parts[0]
    for part in parts[1:]:
        together = together + part
    return together


class Expectation:
    """Mean and spread of the references over the common space, for several volumes.

    Each bin as a whole counts a little at every place, the more the fewer references there are:
    where they show nothing, what is known is that of the bin.
    """

    def __init__(self, sums: Sums, cells: Cells) -> None:
        self._sums, self._cells = sums, cells
        self._grids: dict[int, tuple[FloatArray, FloatArray] | None] = {}

    def of(self, volume: WorkingVolume) -> tuple[FloatArray, FloatArray]:
        """Returns mean and standard deviation at each counted voxel; NaN in a bin that no reference has.

        Returns:
            Two arrays ``(voxels,)``.
        """
        index = self._cells.index(volume)
        bins = volume.bins[volume.counted]
        mean, spread = np.full((2, len(bins)), np.nan, np.float32)
        for number in range(volume.n_bins):
            chosen = bins == number
            grids = self._bin(number) if chosen.any() else None
            if grids is not None:
                where = index[:, chosen]
                mean[chosen] = _at(grids[0], where)
                spread[chosen] = np.sqrt(_at(grids[1], where))
        return mean, spread

    def _bin(self, number: int) -> tuple[FloatArray, FloatArray] | None:
        """Returns mean and variance of one bin on the cells."""
        if number not in self._grids:
            moments = self._sums.moments[:, number]
            total = moments.reshape(3, -1).sum(axis=1, dtype=np.float64)
            weight = moments[0]
            present = weight[weight > 0.05 * weight.max()]
            if total[0] <= 0 or not present.size:
                self._grids[number] = None
            elif self._cells.spread_mm:
                self._grids[number] = self._of_each_cell(moments, total)
            else:
                prior = _PRIOR * float(np.median(present)) / max(1, self._sums.scans)
                whole = (total / total[0] * prior).astype(np.float32)
                moments = moments + whole[:, np.newaxis, np.newaxis, np.newaxis]
                mean = moments[1] / moments[0]
                self._grids[number] = mean, np.maximum(moments[2] / moments[0] - mean**2, 0)
        return self._grids[number]

    def _of_each_cell(
        self, moments: FloatArray, total: npt.NDArray[np.float64]
    ) -> tuple[FloatArray, FloatArray]:
        """Returns the mean of each cell, and the variance of a further scan about it."""
        weight, amount, square = moments
        mean = _over(amount, weight, total[1] / total[0])
        about = np.maximum(square - amount * mean, 0)
        sigma = self._cells.spread_mm / self._cells.size
        overall = total[2] / total[0] - (total[1] / total[0]) ** 2
        variance = _over(_smooth(about, sigma), _smooth(weight, sigma), overall)
        # Of n scans about their own mean; a further scan is further from it.
        n = self._sums.scans
        return mean, variance * np.float32((n + 1) / max(n - 1, 1))


def _smooth(array: FloatArray, sigma: float) -> FloatArray:
    return np.asarray(ndimage.gaussian_filter(array, sigma, mode="constant", truncate=3), np.float32)


def _over(amount: FloatArray, weight: FloatArray, otherwise: float) -> FloatArray:
    """Divides by a weight; where there is next to none, returns another value."""
    known = weight > 1e-3 * weight.max()
    return np.where(known, amount / np.where(known, weight, 1), np.float32(otherwise)).astype(np.float32)


def _at(array: FloatArray, index: FloatArray) -> FloatArray:
    """Interpolates linearly between cells."""
    return np.asarray(ndimage.map_coordinates(array, index, order=1, mode="nearest"), np.float32)
