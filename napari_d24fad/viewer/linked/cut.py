"""One cut through a volume as it stands upright on a screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_d24fad.export.anatomy import direction_letters

Index = tuple[float, float, float]
Letters = tuple[str, str, str, str]
Array = npt.NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Cut:
    """A plane along two axes of an array, and which way they run on the screen.

    Attributes:
        across: The axis that cuts are stacked along.
        down: The axis along rows of the picture.
        right: The axis along its columns.
        flips: Whether the picture runs against the axis, downwards and to the right.
        step: Millimetres (pixels without geometry) from row to row and from column to column.
        letters: What lies beyond the left, right, top and bottom edge; None where sides are not known.
        name: Such as ``"Coronal"``; empty where sides are not known.
    """

    across: int
    down: int
    right: int
    flips: tuple[bool, bool]
    step: tuple[float, float]
    letters: Letters | None
    name: str

    def picture(self, volume: Array, index: int) -> Array:
        """Returns a cut as a view of the volume, ``(rows, columns)`` or ``(rows, columns, 3)``."""
        place: list[slice | int] = [slice(None)] * 3
        place[self.across] = index
        plane = np.asarray(volume[tuple(place)])
        if self.down > self.right:
            plane = plane.swapaxes(0, 1)
        rows, columns = (slice(None, None, -1 if flip else None) for flip in self.flips)
        return plane[rows, columns]

    def in_picture(self, place: Index, shape: tuple[int, ...]) -> tuple[float, float]:
        """Returns row and column of a place in the array, whichever cut it is in."""
        row, column = place[self.down], place[self.right]
        if self.flips[0]:
            row = shape[self.down] - 1 - row
        if self.flips[1]:
            column = shape[self.right] - 1 - column
        return float(row), float(column)

    def in_array(self, point: tuple[float, float], index: float, shape: tuple[int, ...]) -> Index:
        """Returns the place in the array of row and column in the cut of an index."""
        row, column = point
        place = [0.0, 0.0, 0.0]
        place[self.across] = index
        place[self.down] = shape[self.down] - 1 - row if self.flips[0] else row
        place[self.right] = shape[self.right] - 1 - column if self.flips[1] else column
        return place[0], place[1], place[2]


def cut_along(
    across: int, directions: npt.NDArray[np.float64] | None, spacing: tuple[float, float, float]
) -> Cut:
    """Returns how to show the cuts that are stacked along an axis: head up, or else front up.

    Args:
        across: Axis of the array.
        directions: ``(3, 3)``, in column ``i`` the LPS direction of axis ``i``; None without known sides.
        spacing: Of the voxels along each axis.
    """
    first, second = (axis for axis in range(3) if axis != across)
    if directions is None:
        return Cut(across, first, second, (False, False), (spacing[first], spacing[second]), None, "")
    along = [int(np.abs(directions[:, axis]).argmax()) for axis in range(3)]
    down, right = (first, second) if along[first] >= along[second] else (second, first)
    # Head to foot, front to back, right to left: the signs that these have in LPS.
    downwards = directions[:, down] * (-1 if along[down] == 2 else 1)
    rightwards = directions[:, right]
    flips = (bool(downwards[along[down]] < 0), bool(rightwards[along[right]] < 0))
    to_right = directions[:, right] * (-1 if flips[1] else 1)
    to_foot = directions[:, down] * (-1 if flips[0] else 1)
    letters = (
        direction_letters(-to_right),
        direction_letters(to_right),
        direction_letters(-to_foot),
        direction_letters(to_foot),
    )
    name = ("Sagittal", "Coronal", "Axial")[along[across]]
    return Cut(across, down, right, flips, (spacing[down], spacing[right]), letters, name)
