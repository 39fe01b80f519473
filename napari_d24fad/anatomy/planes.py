"""Shapes in one plane, in millimetres: closing, opening and growing by distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.grid import BoolArray

Spacing = tuple[float, float]


def dilated(plane: BoolArray, radius: float, spacing: Spacing) -> BoolArray:
    """Returns what lies within a radius in mm of a shape."""
    if not plane.any():
        return plane
    box = _around(plane, [int(radius / step) + 1 for step in spacing])
    near = np.zeros_like(plane)
    near[box] = ndimage.distance_transform_edt(~plane[box], sampling=spacing) <= radius
    return near


def eroded(plane: BoolArray, radius: float, spacing: Spacing) -> BoolArray:
    """Returns what lies deeper than a radius in mm in a shape; beyond the picture counts as inside."""
    if plane.all() or not plane.any():
        return plane
    box = _around(plane, (1, 1))  # what is nearest beside a shape is never further out
    deep = np.zeros_like(plane)
    deep[box] = ndimage.distance_transform_edt(plane[box], sampling=spacing) > radius
    return deep


def _around(plane: BoolArray, margin: Sequence[int]) -> tuple[slice, ...]:
    """Returns the box of a shape with some pixels on each side: half of most pictures lies beside it."""
    lines = [np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0)]
    return tuple(
        slice(max(0, int(line[0]) - more), int(line[-1]) + more + 1)
        for line, more in zip(lines, margin, strict=True)
    )


def closed(plane: BoolArray, radius: float, spacing: Spacing) -> BoolArray:
    """Fills gaps narrower than twice a radius in mm."""
    margin = [int(np.ceil(radius / step)) + 1 for step in spacing]
    padded = np.pad(plane, [(margin[0], margin[0]), (margin[1], margin[1])])
    shape = eroded(dilated(padded, radius, spacing), radius, spacing)
    return shape[margin[0] : -margin[0], margin[1] : -margin[1]] | plane


def opened(plane: BoolArray, radius: float, spacing: Spacing) -> BoolArray:
    """Removes what is narrower than twice a radius in mm."""
    return dilated(eroded(plane, radius, spacing), radius, spacing) & plane


def filled(plane: BoolArray) -> BoolArray:
    """Fills holes that the border of the picture does not reach."""
    return np.asarray(ndimage.binary_fill_holes(plane))


def parts(plane: BoolArray) -> tuple[npt.NDArray[np.int32], int]:
    """Returns connected parts, numbered from 1, and their number."""
    labels, number = ndimage.label(plane)
    return labels.astype(np.int32), int(number)
