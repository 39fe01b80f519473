"""Brings a scan to the nearest canonical axes, and results back to the scan's own.

The canonical order is what a radiologist expects on the screen: slices first, then
rows from top to bottom and columns from left to right. Only axes are exchanged and
reversed; nothing is ever resampled, so an oblique scan stays oblique.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_d24fad.studies.scan import Plane, Scan

# For each plane, the LPS direction that (slice, row, column) run along: LPS axis and sign.
# +x is to the patient's left, +y to posterior, +z to superior.
_DIRECTIONS: dict[Plane, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    Plane.AXIAL: ((2, +1), (1, +1), (0, +1)),
    Plane.CORONAL: ((1, +1), (2, -1), (0, +1)),
    Plane.SAGITTAL: ((0, +1), (2, -1), (1, +1)),
}


@dataclass(frozen=True, slots=True)
class Orientation:
    """How the axes of a scan are exchanged and reversed to become canonical.

    Attributes:
        permutation: For each canonical axis, the array axis of the scan that it is.
        flips: For each canonical axis, whether it runs against that array axis.
    """

    permutation: tuple[int, int, int] = (0, 1, 2)
    flips: tuple[bool, bool, bool] = (False, False, False)

    def apply(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Returns a view in canonical order.

        Args:
            array: In the scan's order, three spatial axes first; further axes
                (colour) stay where they are.
        """
        moved = array.transpose(*self.permutation, *range(3, array.ndim))
        return moved[self._steps()]

    def invert(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Returns a view in the scan's order: the inverse of `apply`.

        Args:
            array: In canonical order, three spatial axes first.
        """
        back = sorted(range(3), key=lambda axis: self.permutation[axis])
        return array[self._steps()].transpose(*back, *range(3, array.ndim))

    def index_transform(self, grid: tuple[int, int, int]) -> npt.NDArray[np.float64]:
        """Returns the 4x4 matrix from a canonical index to the scan's index.

        Args:
            grid: The scan's shape ``(slices, rows, columns)`` in its own order.
        """
        matrix = np.zeros((4, 4))
        matrix[3, 3] = 1
        for canonical_axis, (axis, flipped) in enumerate(zip(self.permutation, self.flips, strict=True)):
            matrix[axis, canonical_axis] = -1 if flipped else 1
            matrix[axis, 3] = grid[axis] - 1 if flipped else 0
        return matrix

    def _steps(self) -> tuple[slice, slice, slice]:
        first, second, third = (slice(None, None, -1 if flipped else None) for flipped in self.flips)
        return first, second, third


def canonical_orientation(scan: Scan) -> Orientation:
    """Returns how to bring a scan to canonical order.

    Axial: slices from inferior to superior, rows from anterior to posterior, columns
    from the patient's right to left. Coronal: slices from anterior to posterior, rows
    from superior to inferior, columns from right to left. Sagittal: slices from right to
    left, rows from superior to inferior, columns from anterior to posterior. For an
    oblique scan each is the nearest anatomical direction. Where sides are not known the slice
    axis comes first and nothing is reversed.
    """
    first, second = (axis for axis in range(3) if axis != scan.slice_axis)
    plane = scan.plane
    if plane is None:
        return Orientation((scan.slice_axis, first, second))
    cosines = scan.affine[:3, :3] / np.linalg.norm(scan.affine[:3, :3], axis=0)
    directions = _DIRECTIONS[plane]
    along_rows, along_columns = directions[1][0], directions[2][0]
    straight = abs(cosines[along_rows, first]) + abs(cosines[along_columns, second])
    crossed = abs(cosines[along_rows, second]) + abs(cosines[along_columns, first])
    permutation = (
        (scan.slice_axis, first, second) if straight >= crossed else (scan.slice_axis, second, first)
    )
    flips = tuple(
        bool(cosines[lps, axis] * sign < 0) for axis, (lps, sign) in zip(permutation, directions, strict=True)
    )
    return Orientation(permutation, (flips[0], flips[1], flips[2]))


def canonical(scan: Scan) -> Scan:
    """Returns the same scan with its axes in canonical order.

    The voxels are a view; the affine is exchanged and reversed with them, so every
    voxel keeps its position in the patient.
    """
    orientation = canonical_orientation(scan)
    return replace(
        scan,
        voxels=orientation.apply(scan.voxels),
        affine=scan.affine @ orientation.index_transform(scan.grid),
        slice_axis=0,
    )
