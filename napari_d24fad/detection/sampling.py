"""From slices to square network inputs and from maps back to slices, exactly invertible in position.

Aspect ratio and pixel size are honoured: a network pixel is square in millimetres.
Each slice is cropped to the anatomy of its volume, so that subjects of different size
or field of view meet at the same place, then scaled until its longer side fills the
input and padded with black.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn.functional import interpolate, pad

_FOREGROUND = 0.08
_COARSE = 64


@dataclass(frozen=True, slots=True)
class Box:
    """Index ranges of a canonical volume that hold the anatomy, ends exclusive.

    Attributes:
        slices: First slice and one past the last.
        rows: First row and one past the last.
        columns: First column and one past the last.
    """

    slices: tuple[int, int]
    rows: tuple[int, int]
    columns: tuple[int, int]


def anatomy_box(unit: npt.NDArray[np.float32]) -> Box | None:
    """Finds the box around the largest connected foreground.

    Args:
        unit: Canonical volume ``(slices, rows, columns)`` in 0..1.

    Returns:
        The box with a margin of 2 % in the plane; None if there is no foreground.
    """
    steps = [max(1, size // _COARSE) for size in unit.shape]
    coarse = unit[:: steps[0], :: steps[1], :: steps[2]] > _FOREGROUND
    labels, count = ndimage.label(ndimage.binary_opening(coarse, np.ones((1, 3, 3), bool)))
    if count == 0:
        return None
    largest = int(np.bincount(labels.ravel())[1:].argmax()) + 1
    found = ndimage.find_objects(labels)[largest - 1]
    ranges = []
    for axis, (where, step, size) in enumerate(zip(found, steps, unit.shape, strict=True)):
        margin = 0 if axis == 0 else step + round(0.02 * size)
        ranges.append((max(0, where.start * step - margin), min(size, where.stop * step + margin)))
    return Box(*ranges)


def whole_box(grid: tuple[int, int, int]) -> Box:
    """The box of everything, for single images, whose framing is the examiner's choice."""
    return Box((0, grid[0]), (0, grid[1]), (0, grid[2]))


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the slices of one scan become network inputs of one side length.

    Attributes:
        rows: Row range of the crop, end exclusive.
        columns: Column range of the crop.
        grid: Rows and columns of a whole slice.
        content: Rows and columns that the crop fills in the input.
        side: Side of the square input in pixels.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    grid: tuple[int, int]
    content: tuple[int, int]
    side: int

    @classmethod
    def fit(cls, box: Box, grid: tuple[int, int], pixel: tuple[float, float], side: int) -> Sampling:
        """Fits the box of a scan into the input.

        Args:
            box: Where the anatomy is.
            grid: Rows and columns of a slice.
            pixel: Row and column spacing (mm, or any common unit).
            side: Side of the input in pixels.
        """
        height = (box.rows[1] - box.rows[0]) * pixel[0]
        width = (box.columns[1] - box.columns[0]) * pixel[1]
        scale = side / max(height, width)
        content = (max(1, round(height * scale)), max(1, round(width * scale)))
        return cls(box.rows, box.columns, grid, content, side)

    @property
    def origin(self) -> tuple[int, int]:
        """Row and column of the input where the content begins."""
        return (self.side - self.content[0]) // 2, (self.side - self.content[1]) // 2

    def inside(self) -> Tensor:
        """Which pixels of the input show the scan, ``(side, side)`` bool; the rest is padding."""
        mask = torch.zeros(self.side, self.side, dtype=torch.bool)
        top, left = self.origin
        mask[top : top + self.content[0], left : left + self.content[1]] = True
        return mask

    def to_input(self, slices: Tensor) -> Tensor:
        """Crops, scales and pads slices.

        Args:
            slices: ``(N, C, rows, columns)`` in 0..1, C = 1 or 3.

        Returns:
            ``(N, 3, side, side)``; grey is repeated over the three channels.
        """
        crop = slices[:, :, slice(*self.rows), slice(*self.columns)]
        scaled = interpolate(crop, self.content, mode="bilinear", antialias=True, align_corners=False)
        top, left = self.origin
        bottom, right = self.side - top - self.content[0], self.side - left - self.content[1]
        return pad(scaled, (left, right, top, bottom)).expand(-1, 3, -1, -1)

    def to_slices(self, maps: Tensor) -> Tensor:
        """Brings maps back to the slices' own pixels.

        Args:
            maps: ``(N, side, side)``.

        Returns:
            ``(N, rows, columns)``; NaN outside the crop.
        """
        top, left = self.origin
        content = maps[:, None, top : top + self.content[0], left : left + self.content[1]]
        size = (self.rows[1] - self.rows[0], self.columns[1] - self.columns[0])
        # antialias: averages instead of skipping where the slice is coarser than the input.
        back = interpolate(content, size, mode="bilinear", antialias=True, align_corners=False)
        slices = torch.full((len(maps), *self.grid), torch.nan, dtype=maps.dtype, device=maps.device)
        slices[:, slice(*self.rows), slice(*self.columns)] = back[:, 0]
        return slices
