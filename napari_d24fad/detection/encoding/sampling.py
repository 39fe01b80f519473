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

from napari_d24fad.detection.encoding.intensity import Window

_FOREGROUND = 0.08
_COARSE = 64
_PART = 0.25


def centres(side: int, count: int) -> npt.NDArray[np.int_]:
    """Returns the pixels of a side in which the centres of so many equal parts lie."""
    found: npt.NDArray[np.int_] = (2 * np.arange(count) + 1) * side // (2 * count)
    return found


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


def anatomy_box(voxels: npt.NDArray[np.generic], window: Window) -> Box | None:
    """Finds the box around the anatomy.

    It is the largest connected foreground and what is at least a quarter of it, such as
    the other leg.

    Args:
        voxels: Canonical volume ``(slices, rows, columns)``, or with colours last.
        window: Makes air 0.

    Returns:
        The box with a margin of 2 % in the plane; None if there is no foreground.
    """
    rows, columns = (max(1, size // _COARSE) for size in voxels.shape[1:3])
    unit = window.apply(voxels[:, ::rows, ::columns])
    coarse = (unit if unit.ndim == 3 else unit.max(axis=-1)) > _FOREGROUND
    labels, count = ndimage.label(ndimage.binary_opening(coarse, np.ones((1, 3, 3), bool)))
    if count == 0:
        return None
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    anatomy = (sizes >= _PART * sizes.max())[labels]
    ranges = []
    for axis, (step, size) in enumerate(zip((1, rows, columns), voxels.shape[:3], strict=True)):
        found = np.flatnonzero(anatomy.any(axis=tuple({0, 1, 2} - {axis})))
        margin = 0 if axis == 0 else step + round(0.02 * size)
        ranges.append((max(0, int(found[0]) * step - margin), min(size, int(found[-1] + 1) * step + margin)))
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

    @property
    def voxels_per_input(self) -> float:
        """How many pixels of a slice cover the area of the whole input, padding included."""
        crop = (self.rows[1] - self.rows[0]) * (self.columns[1] - self.columns[0])
        return crop / (self.content[0] * self.content[1]) * self.side**2

    def inside(self, side: int | None = None, region: npt.NDArray[np.bool_] | None = None) -> Tensor:
        """Which pixels show the scan and not padding.

        Args:
            side: Side of the maps in pixels, at most the input's; None for the input's.
            region: Of the input, its side squared: what else is left out; None for nothing.

        Returns:
            ``(side, side)`` bool.
        """
        mask = torch.zeros(self.side, self.side, dtype=torch.bool)
        top, left = self.origin
        mask[top : top + self.content[0], left : left + self.content[1]] = True
        if region is not None:
            mask &= torch.from_numpy(region)
        at = torch.from_numpy(centres(self.side, side or self.side))
        return mask[at][:, at]

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

    def region_of_input(self, region: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Brings a region of a slice, ``(rows, columns)``, to the network input, ``(side, side)``."""
        share = self.to_input(torch.from_numpy(region.astype(np.float32))[None, None])[0, 0]
        found: npt.NDArray[np.bool_] = (share >= 0.5).numpy()
        return found

    def region_of_slices(self, region: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Brings a region of the network input, ``(side, side)``, to the slices, ``(rows, columns)``."""
        share = self.to_slices(torch.from_numpy(region.astype(np.float32))[None])[0]
        found: npt.NDArray[np.bool_] = (share >= 0.5).numpy()
        return found

    def to_slices(self, maps: Tensor) -> Tensor:
        """Brings maps back to the slices' own pixels.

        Args:
            maps: ``(N, side, side)`` of the whole input, of any side.

        Returns:
            ``(N, rows, columns)``; NaN outside the crop.
        """
        if maps.shape[-1] != self.side:
            maps = interpolate(maps[:, None], (self.side, self.side), mode="bilinear")[:, 0]
        top, left = self.origin
        content = maps[:, None, top : top + self.content[0], left : left + self.content[1]]
        size = (self.rows[1] - self.rows[0], self.columns[1] - self.columns[0])
        # antialias: averages instead of skipping where the slice is coarser than the input.
        back = interpolate(content, size, mode="bilinear", antialias=True, align_corners=False)
        slices = torch.full((len(maps), *self.grid), torch.nan, dtype=maps.dtype, device=maps.device)
        slices[:, slice(*self.rows), slice(*self.columns)] = back[:, 0]
        return slices
