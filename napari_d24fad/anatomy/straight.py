"""Places a head that may lie turned, tilted or nodding, and of which a part may be missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.grid import Millimetres
from napari_d24fad.anatomy.place import BoxPlacer, Place, affine_place, depth_mm
from napari_d24fad.anatomy.upright import mirror_plane

Matrix = npt.NDArray[np.float64]

_LARGEST_NOD = 40.0  # degrees
_OUTERMOST = 0.001  # share of the mask on each side that may lie beyond the box
_CUT_CM2 = 50.0  # a mask that ends with more than this in the first or last slice goes on beyond it
_USUAL_SCALE = 1.06  # of an adult head to the box, where too little of it is seen
_NODS = (-30.0, -20.0, -10.0, 0.0, 10.0)  # that are tried of a part of a head
_STEP_MM = 7.5


@dataclass(frozen=True, slots=True)
class UprightPlacer:
    """As `BoxPlacer`, of a head that is first laid straight.

    It is turned and tilted until its sides mirror each other, and nods until the long axis of the
    mask is level. Of a part of a head the nod and the height are not known: `alternatives`.

    Attributes:
        box: Standard size along (z, y, x) in mm.
    """

    box: Millimetres

    def place(self, anatomy: Anatomy) -> Place:
        """See `Placer.place`."""
        if not anatomy.grid.sided:
            return BoxPlacer(self.box).place(anatomy)
        head = _Straight(anatomy)
        place = affine_place(anatomy, head.matrix(self.box), self.box, "upright box")
        return place if head.whole else replace(place, partial=True)

    def alternatives(self, anatomy: Anatomy) -> Iterator[Place]:
        """Yields other places that a part of a head may have; none of a whole head."""
        if not anatomy.grid.sided:
            return
        head = _Straight(anatomy)
        if head.whole:
            return
        depth = depth_mm(anatomy)
        for nod in _NODS:
            for matrix in head.parts(self.box, nod):
                yield replace(affine_place(anatomy, matrix, self.box, "upright box", depth), partial=True)


class _Straight:
    """A head, turned and tilted straight."""

    def __init__(self, anatomy: Anatomy) -> None:
        self._spacing = np.array(anatomy.grid.spacing)
        self._plane = mirror_plane(anatomy)
        points = np.argwhere(anatomy.mask) * self._spacing
        self._centre = points.mean(axis=0)
        self._points = (points - self._centre) @ self._plane.rotation.T
        cm2 = anatomy.mask.sum(axis=(1, 2)) * self._spacing[1] * self._spacing[2] / 100
        self._foot_seen, self._vertex_seen = bool(cm2[0] < _CUT_CM2), bool(cm2[-1] < _CUT_CM2)
        self.whole = self._foot_seen and self._vertex_seen
        # The sides of the box are known only where the head is widest somewhere within.
        self._widest_within = bool(cm2[1:-1].max(initial=0) > max(cm2[0], cm2[-1]))

    def matrix(self, box: Millimetres) -> Matrix:
        """Returns the map from index to the common space: of a part, in the middle of its height."""
        if not self.whole:
            middle = list(self.parts(box, 0.0))
            return middle[len(middle) // 2]
        rotation = _nodding(_level(self._points))
        low, high = self._extent(rotation)
        return self._map(rotation, np.array(box) / (high - low), low)

    def parts(self, box: Millimetres, nod: float) -> Iterator[Matrix]:
        """Yields maps of a part of a head for each height that it may have, from low to high."""
        rotation = _nodding(nod)
        low, high = self._extent(rotation)
        scale = np.full(3, _USUAL_SCALE)
        if self._widest_within:
            scale[1:] = np.array(box)[1:] / (high - low)[1:]
            scale[0] = np.sqrt(scale[1] * scale[2])
        # What is seen lies in the middle from front to back; where in height is what is tried,
        # unless its upper or lower end is that of the head.
        corner = (low + high) / 2 - np.array(box) / scale / 2
        room = max(0.0, box[0] - (high[0] - low[0]) * scale[0])
        first, last = (room - _STEP_MM, room + _STEP_MM) if self._vertex_seen else (0.0, room)
        first, last = (-_STEP_MM, _STEP_MM) if self._foot_seen else (first, last)
        for height in np.arange(first, last + 1e-6, _STEP_MM):
            corner[0] = low[0] - height / scale[0]
            yield self._map(rotation, scale, corner)

    def _extent(self, rotation: Matrix) -> tuple[Matrix, Matrix]:
        """Returns the corners of the box around the mask; its sides lie alike about the mirror plane."""
        turned = self._points @ rotation.T
        low, high = np.quantile(turned, (_OUTERMOST, 1 - _OUTERMOST), axis=0)
        low, high = low - self._spacing / 2, high + self._spacing / 2
        half = (high[2] - low[2]) / 2
        low[2], high[2] = self._plane.offset - half, self._plane.offset + half
        return low, high

    def _map(self, nod: Matrix, scale: Matrix, low: Matrix) -> Matrix:
        rotation = nod @ self._plane.rotation
        matrix = np.eye(4)
        matrix[:3, :3] = scale[:, np.newaxis] * rotation * self._spacing
        matrix[:3, 3] = scale * (-rotation @ self._centre - low)
        return matrix


def _level(points: Matrix) -> float:
    """Returns by how many degrees a mask nods: the angle that lays its long axis level.

    Args:
        points: ``(voxels, 3)`` of a head that lies straight otherwise, (z, y, x) from its centre.
    """
    spread = points[:, :2].T @ points[:, :2] / len(points)
    angle = np.degrees(0.5 * np.arctan2(2 * spread[0, 1], spread[1, 1] - spread[0, 0]))
    return float(np.clip(angle, -_LARGEST_NOD, _LARGEST_NOD))


def _nodding(degrees: float) -> Matrix:
    """Returns the rotation about the axis from side to side."""
    angle = np.radians(degrees)
    rotation = np.eye(3)
    rotation[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return rotation
