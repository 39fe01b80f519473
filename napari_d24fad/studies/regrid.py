"""From slices as they were scanned to the even, rectangular volume that a `Scan` is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_d24fad.studies.scan import Affine, Problem, Voxels

# Shifts are rounded to this fraction of a pixel, so that a whole number of pixels blurs nothing.
_SHIFT_DECIMALS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """Shifts slices that are stacked at a slant within their planes, until they stand upright.

    Attributes:
        n_slices: Number of slices.
        shape: Rows and columns of the canvas that holds all of them.
        affine: Of the upright volume.
        shifts: ``(slices, 2)``: where on the canvas the first pixel of each slice lies.
        problem: What the user must know.
    """

    n_slices: int
    shape: tuple[int, int]
    affine: Affine = field(repr=False)
    shifts: npt.NDArray[np.float64] = field(repr=False)
    problem: Problem

    def draw(self, index: int, read: Callable[[int], Voxels]) -> Voxels:
        """Moves a grey slice by linear interpolation; NaN beside it.

        Args:
            index: Which slice of the volume.
            read: Returns a slice as it was scanned, by its number.
        """
        picture = read(index)
        for axis, (shift, length) in enumerate(zip(self.shifts[index], self.shape, strict=True)):
            picture = _shifted(picture, float(shift), length, axis)
        return picture


def upright(affine: Affine, grid: tuple[int, int, int], problem: Callable[[float], Problem]) -> Upright:
    """Plans how slices at a slant become a rectangular volume.

    Args:
        affine: ``(4, 4)`` to LPS mm, whose first column need not be at right angles to the others.
        grid: ``(slices, rows, columns)``.
        problem: Makes the problem of the angle between stack and normal, in degrees.
    """
    step, in_plane = affine[:3, 0], affine[:3, 1:3]
    # In pixels: how much further down and to the right each slice begins than the one before.
    slant = (step @ in_plane) / (in_plane**2).sum(axis=0)
    along_normal = step - in_plane @ slant
    angle = np.degrees(np.arccos(np.linalg.norm(along_normal) / np.linalg.norm(step)))
    places = np.arange(grid[0])[:, np.newaxis] * slant
    first = places.min(axis=0)
    shifts = np.round(places - first, _SHIFT_DECIMALS)
    size = np.ceil(shifts.max(axis=0)).astype(int) + grid[1:]
    straight = affine.copy()
    straight[:3, 0] = along_normal
    straight[:3, 3] += in_plane @ first
    return Upright(grid[0], (int(size[0]), int(size[1])), straight, shifts, problem(float(angle)))


def _shifted(picture: Voxels, shift: float, length: int, axis: int) -> Voxels:
    """Places a picture on a longer axis, by a number of pixels that need not be whole."""
    source = np.moveaxis(picture, axis, 0).astype(np.float32)
    canvas = np.full((length, *source.shape[1:]), np.nan, np.float32)
    whole = int(shift)
    part = np.float32(shift - whole)
    if part:
        canvas[whole + 1 : whole + len(source)] = part * source[:-1] + (1 - part) * source[1:]
    else:
        canvas[whole : whole + len(source)] = source
    return np.moveaxis(canvas, 0, axis)


@dataclass(frozen=True, slots=True, eq=False)
class Even:
    """Computes slices at even distances from slices at uneven ones.

    Attributes:
        shape: Rows and columns.
        affine: Of the even volume.
        below: For each slice, the number of the scanned slice at or before it.
        weights: For each slice, how far it lies towards the next scanned slice, 0 to below 1.
        problem: What the user must know.
    """

    shape: tuple[int, int]
    affine: Affine = field(repr=False)
    below: tuple[int, ...] = field(repr=False)
    weights: tuple[float, ...] = field(repr=False)
    problem: Problem

    @property
    def n_slices(self) -> int:
        """Number of slices that it makes."""
        return len(self.below)

    def draw(self, index: int, read: Callable[[int], Voxels]) -> Voxels:
        """Returns a scanned slice unchanged, or the linear interpolation of two.

        Args:
            index: Which slice of the volume.
            read: Returns a slice as it was scanned, by its number.
        """
        below, weight = self.below[index], self.weights[index]
        lower = read(below)
        if not weight:
            return lower
        lower_part, upper_part = (
            np.asarray(picture, np.float32) * np.float32(share)
            for picture, share in ((lower, 1 - weight), (read(below + 1), weight))
        )
        between = lower_part + upper_part
        return np.round(between).astype(lower.dtype) if lower.dtype == np.uint8 else between


Regrid = Upright | Even
"""Makes the slices of a regular volume, with their `affine`, of slices that are not one."""


def even_places(
    distances: npt.NDArray[np.float64], tolerance: float
) -> tuple[float, tuple[int, ...], tuple[float, ...]] | None:
    """Chooses even places for slices at uneven distances.

    They are as far apart as the scanned slices typically are. Where only whole slices are
    missing, the others stay where and as they are.

    Args:
        distances: Where the scanned slices lie along their normal in mm, ascending.
        tolerance: How far a slice may lie beside its even place, as a fraction of the spacing.

    Returns:
        The spacing in mm, and `Even.below` and `Even.weights`; None if the volume would have
        more than twice as many slices as were scanned.
    """
    gaps = np.diff(distances)
    extent = float(distances[-1] - distances[0])
    # Of an even number of gaps the median is the smaller of the two in the middle.
    median = np.sort(gaps)[(len(gaps) - 1) // 2]
    number = max(1, round(extent / float(gaps[gaps < 1.5 * median].mean())))
    if number + 1 > 2 * len(distances):
        return None
    spacing = extent / number
    places = (distances - distances[0]) / spacing
    if np.abs(places - np.round(places)).max() <= tolerance:
        places = np.round(places)
    wanted = np.arange(number + 1, dtype=np.float64)
    below = np.searchsorted(places, wanted + 1e-6, side="right") - 1
    weights = (wanted - places[below]) / np.append(np.diff(places), 1.0)[below]
    weights[np.abs(weights) < 1e-4] = 0.0
    return spacing, tuple(below.tolist()), tuple(weights.tolist())
