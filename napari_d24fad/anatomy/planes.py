"""Shapes in one plane, in millimetres: closing, opening and growing by distance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

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
    near[box] = _within(plane[box], radius, spacing)
    return near


def eroded(plane: BoolArray, radius: float, spacing: Spacing) -> BoolArray:
    """Returns what lies deeper than a radius in mm in a shape; beyond the picture counts as inside."""
    if plane.all() or not plane.any():
        return plane
    box = _around(plane, (1, 1))  # what is nearest beside a shape is never further out
    deep = np.zeros_like(plane)
    deep[box] = ~_within(~plane[box], radius, spacing)
    return deep


def _within(shape: BoolArray, radius: float, spacing: Spacing) -> BoolArray:
    """Returns where the distance to a shape is at most a radius: a quarter of the time of a distance map."""
    rows, columns = shape.shape
    before = np.zeros((rows, columns + 1), np.int32)  # pixels of the shape to the left
    np.cumsum(shape, axis=1, out=before[:, 1:])
    column = np.arange(columns)
    near = np.zeros_like(shape)
    for down, across in enumerate(_half_widths(radius, spacing)[:rows]):
        first, last = np.maximum(column - across, 0), np.minimum(column + across + 1, columns)
        beside = before[:, last] > before[:, first]
        near[down:] |= beside[: rows - down]
        near[: rows - down] |= beside[down:]
    return near


@lru_cache(maxsize=64)
def _half_widths(radius: float, spacing: Spacing) -> tuple[int, ...]:
    """Returns how many pixels a disc reaches to the side, in its middle row and those below."""
    down, across = (np.arange(int(radius / step) + 2) * step for step in spacing)
    inside = np.sqrt(down[:, np.newaxis] ** 2 + across**2) <= radius
    return tuple(int(count) - 1 for count in inside.sum(axis=1) if count)


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
