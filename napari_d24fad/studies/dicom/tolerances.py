"""How far slices of one volume may differ in direction, spacing and place, in millimetres.

Numbers are rounded by scanners and converters: directions to four or more digits, places to 0.01 mm or
by the steps of a table. What counts is how far a voxel is from where it is said to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.placement import Placement
from napari_d24fad.studies.scan import Affine

CORNER = 0.05
"""How far directions and spacing may move the far corner of a slice, in mm."""

_PLACE, _OF_GAP, _OF_PIXEL = 0.1, 0.05, 0.1
"""How far a slice may lie from its place: in mm, or as a part of the gap, or beside it of a pixel."""

# But never so far that a missing slice could hide: it moves others by a quarter of a gap or more.
_MOST = 0.2
# How far the length of a direction may be from 1: some scanners write four digits.
_UNIT = 1e-3

Vectors = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """The directions that slices share.

    Attributes:
        axes: ``(3, 3)``, unit vectors at right angles in its columns: along the normal, down a
            column, along a row.
        spacing: Between rows and between columns in mm.
    """

    axes: Vectors = field(repr=False)
    spacing: Vectors = field(repr=False)

    @property
    def beside(self) -> float:
        """How far a slice may lie beside its place in mm."""
        pixel = float(self.spacing.min())
        return max(_OF_PIXEL * pixel, min(_PLACE, 0.25 * pixel))

    def of(self, positions: Vectors) -> Vectors:
        """Returns how far places in LPS mm lie along each axis, ``(n, 3)``."""
        found: Vectors = positions @ self.axes
        return found

    def affine(self, first: Vectors, step: Vectors) -> Affine:
        """Returns the affine from (slice, row, column) to LPS mm.

        Args:
            first: Where the first pixel of the first slice lies along each axis in mm.
            step: From one slice to the next along each axis in mm.
        """
        affine = np.eye(4)
        affine[:3, 0] = self.axes @ step
        affine[:3, 1:3] = self.axes[:, 1:] * self.spacing
        affine[:3, 3] = self.axes @ first
        return affine


def common_plane(instances: Sequence[Instance]) -> Plane:
    """Returns the directions that slices share, and their spacing.

    Raises:
        StudyError: ``AMBIGUOUS_GEOMETRY`` if they differ by more than rounding.
    """
    places = [each.placement for each in instances if each.placement is not None]
    last = np.array([instances[0].columns - 1, instances[0].rows - 1])
    orientations = np.array([place.orientation for place in places]).reshape(-1, 2, 3)
    lengths = np.linalg.norm(orientations, axis=2, keepdims=True)
    if np.abs(lengths - 1).max() > _UNIT:
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The orientation of the slices is not valid.")
    spacings = np.array([place.pixel_spacing for place in places])[:, ::-1]
    spacing = spacings.mean(axis=0) if np.ptp(spacings, axis=0).any() else spacings[0]
    if np.linalg.norm((spacings - spacing) * last, axis=1).max() > CORNER:
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The slices differ in pixel spacing.")
    units = orientations / lengths
    mean = units.mean(axis=0) if np.ptp(units, axis=0).any() else units[0]
    left, _, right = np.linalg.svd(mean, full_matrices=False)
    directions = left @ right  # the nearest ones that are at right angles
    extent = spacing * last
    if _apart(directions, mean, extent) > CORNER:
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The orientation of the slices is not valid.")
    if max(_apart(mean, one, extent) for one in np.unique(units, axis=0)) > CORNER:
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The slices are not parallel.")
    along_row, down = directions
    return Plane(np.stack([np.cross(along_row, down), down, along_row], axis=1), spacing[::-1].copy())


def _apart(one: Vectors, other: Vectors, extent: Vectors) -> float:
    """Returns how far two pairs of directions put the corners of a slice apart, in mm."""
    along_row, down = (one - other) * extent[:, np.newaxis]
    return float(max(np.linalg.norm(along_row), np.linalg.norm(down), np.linalg.norm(along_row + down)))


def corners_apart(one: Placement, other: Placement, rows: int, columns: int) -> float:
    """Returns how far apart the corners of two slices are in mm if their first pixels are in one place."""
    spans = []
    for place in (one, other):
        height, width = place.pixel_spacing
        directions = np.reshape(place.orientation, (2, 3))
        spans.append(directions * np.array([[width * (columns - 1)], [height * (rows - 1)]]))
    return _apart(spans[0], spans[1], np.ones(2))


def position_tolerance(gap: float) -> float:
    """Returns how far slices at a distance may lie from even places along their normal, all in mm."""
    return min(max(_PLACE, _OF_GAP * gap), _MOST * gap)


def even_line(distances: Vectors) -> tuple[float, float] | None:
    """Finds even places for slices: the first one and the distance, in mm; None if they lie unevenly.

    Args:
        distances: Where two or more slices lie along their normal in mm, ascending.
    """
    gaps = np.diff(distances)
    median = float(np.median(gaps))
    if gaps.min() < 0.5 * median or gaps.max() > 1.5 * median:
        return None
    index = np.arange(len(distances))
    spacing = float(distances[-1] - distances[0]) / len(gaps)
    centred = index - index.mean()
    fitted = float(centred @ distances / (centred @ centred))
    for start, step in (
        (float(distances[0]), spacing),
        (float(distances.mean() - fitted * index.mean()), fitted),
    ):
        if np.abs(distances - start - step * index).max() <= position_tolerance(step):
            return start, step
    return None


def within(offsets: Vectors, tolerance: float) -> bool:
    """Whether vectors ``(n, 2)`` are all as short as a tolerance."""
    return bool(np.linalg.norm(offsets, axis=1).max() <= tolerance)
