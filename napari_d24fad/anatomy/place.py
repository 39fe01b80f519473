"""Where in the anatomy a voxel lies, in millimetres that mean the same in every scan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.grid import FloatArray, Millimetres
from napari_d24fad.studies.scan import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where each voxel of a working grid lies in the common space.

    Attributes:
        coordinates: ``(3, slices, rows, columns)`` mm along (z, y, x) of the common space: from
            inferior to superior, anterior to posterior, right to left. 0 is the lower corner of
            the common box; places outside the box are allowed.
        depth: ``(slices, rows, columns)`` mm to the border of the mask; 0 outside.
        mirror: ``(3, slices, rows, columns)`` index on the working grid of the same place on the
            other side; None where left and right are not known.
        volume_change: log of the Jacobian determinant of the map to the common space where it
            is known, else None.
        partial: Whether only a part of the anatomy is seen, so that the place is a first guess.
        how: One or two words for the reader, such as "box" or "affine".
        problems: Such as an alignment that failed and was replaced by a simpler one.
        matrices: ``(4, 4)`` index to coordinates, and to mirror if there is one, where these arrays are
            nothing but that; see `mapped`. Else empty.
    """

    coordinates: FloatArray = field(repr=False)
    depth: FloatArray = field(repr=False)
    mirror: FloatArray | None = field(default=None, repr=False)
    volume_change: FloatArray | None = field(default=None, repr=False)
    partial: bool = False
    how: str = "box"
    problems: tuple[Problem, ...] = ()
    matrices: tuple[npt.NDArray[np.float64], ...] = field(default=(), repr=False)


class Placer(Protocol):
    """A way to find the place of each voxel; done once per scan."""

    @property
    def box(self) -> Millimetres:
        """Size of the common space along (z, y, x) in mm."""
        ...

    def place(self, anatomy: Anatomy) -> Place:
        """Places a scan in the common space."""
        ...


@dataclass(frozen=True, slots=True)
class BoxPlacer:
    """Position in the bounding box of the mask, scaled to a standard size. No registration.

    Attributes:
        box: Standard size along (z, y, x) in mm.
    """

    box: Millimetres

    def place(self, anatomy: Anatomy) -> Place:
        """See `Placer.place`."""
        return affine_place(anatomy, self.matrix(anatomy), self.box, "box")

    def matrix(self, anatomy: Anatomy) -> npt.NDArray[np.float64]:
        """Returns the map from index on the working grid to mm of the box, ``(4, 4)``."""
        matrix = np.eye(4)
        for axis, length in enumerate(self.box):
            others = tuple(other for other in range(3) if other != axis)
            inside = np.flatnonzero(anatomy.mask.any(axis=others))
            # The faces of the box are those of its outermost voxels.
            scale = length / (int(inside[-1] - inside[0]) + 1)
            matrix[axis, axis], matrix[axis, 3] = scale, (0.5 - int(inside[0])) * scale
        return matrix


def affine_place(
    anatomy: Anatomy,
    matrix: npt.NDArray[np.float64],
    box: Millimetres,
    how: str,
    depth: FloatArray | None = None,
) -> Place:
    """Makes the place that an affine map says.

    Args:
        anatomy: The scan.
        matrix: ``(4, 4)`` from index on the working grid to mm of the common space.
        box: Size of the common space; its middle plane from right to left is the mirror.
        how: See `Place.how`.
        depth: See `Place.depth`, if it is known already.
    """
    shape = anatomy.mask.shape
    matrices = [matrix]
    if anatomy.grid.sided:
        reflect = np.diag([1.0, 1.0, -1.0, 1.0])
        reflect[2, 3] = box[2]
        matrices.append(np.linalg.inv(matrix) @ reflect @ matrix)
    coordinates, *mirror = (mapped(each, shape) for each in matrices)
    return Place(
        coordinates,
        depth_mm(anatomy) if depth is None else depth,
        mirror[0] if mirror else None,
        how=how,
        matrices=tuple(matrices),
    )


def mapped(matrix: npt.NDArray[np.float64], shape: tuple[int, ...]) -> FloatArray:
    """Returns where each index of a grid is mapped to, float32 ``(3, *shape)``."""
    axes = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape), indexing="ij", sparse=True)
    rows = matrix[:3].astype(np.float32)
    return np.stack([row[0] * axes[0] + row[1] * axes[1] + row[2] * axes[2] + row[3] for row in rows])


def depth_mm(anatomy: Anatomy) -> FloatArray:
    """Returns the distance of each voxel within its slice to the border of the mask, in mm.

    Measured in planes of the first axis: with thick slices, the distance to the mask in the next
    slice is a whole slice.
    """
    sampling = anatomy.grid.spacing[1:]
    depth = np.zeros(anatomy.mask.shape, np.float32)
    for index, plane in enumerate(anatomy.mask):
        if plane.any():
            depth[index] = ndimage.distance_transform_edt(plane, sampling=sampling)
    return depth
