"""Where in the anatomy a voxel lies, in millimetres that mean the same in every scan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
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
        volume_change: log of the Jacobian determinant of the map to the common space where it
            is known, else None.
        how: One or two words for the reader, such as "box" or "affine".
        problems: Such as an alignment that failed and was replaced by a simpler one.
    """

    coordinates: FloatArray = field(repr=False)
    depth: FloatArray = field(repr=False)
    volume_change: FloatArray | None = field(default=None, repr=False)
    how: str = "box"
    problems: tuple[Problem, ...] = ()


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
        axes = []
        for axis, length in enumerate(self.box):
            others = tuple(other for other in range(3) if other != axis)
            inside = np.flatnonzero(anatomy.mask.any(axis=others))
            # The faces of the box are those of its outermost voxels.
            first, count = int(inside[0]), int(inside[-1] - inside[0]) + 1
            index = np.arange(anatomy.mask.shape[axis], dtype=np.float32)
            axes.append(((index - first + 0.5) / count * length).astype(np.float32))
        coordinates = np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)
        return Place(coordinates, depth_mm(anatomy))


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
