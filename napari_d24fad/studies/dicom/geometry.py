"""Orders slices along their normal and finds the affine, or says why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from highdicom import VolumeGeometry
from highdicom.spatial import get_volume_positions

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.header import Instance, Placement
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.regrid import Even, Regrid, even_places, upright
from napari_d24fad.studies.scan import Affine, Problem

# highdicom's default: gaps may differ from their mean by one per cent.
_EVEN = 0.01
# Slices of a slanted stack may lie beside their line by this fraction of a pixel.
_STRAIGHT = 0.1
# How far a slice may lie from where the affine puts it, in voxels. highdicom compares single
# gaps and angles, so that a slant of two degrees adds up to centimetres over a long stack.
_IN_PLACE = 0.5
# How far the length of a direction may be from 1: some scanners write four digits.
_UNIT = 1e-3
# Gantries tilt by up to 30 degrees; what leans over further was not stacked as a volume.
_MOST_SLANT = 45.0


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices of one volume in order.

    Attributes:
        instances: In slice order.
        affine: ``(4, 4)``, from (slice, row, column) to LPS mm. If the slices do not form an
            even volume it is that of the first slice.
        regrid: How the volume is made of the slices, where it is not simply all of them.
        refusal: Why the slices are no volume as they are, though `regrid` makes one of them.
    """

    instances: tuple[Instance, ...]
    affine: Affine = field(repr=False)
    regrid: Regrid | None = None
    refusal: StudyError | None = None


def stack(instances: Sequence[Instance]) -> Stack:
    """Orders the slices of one volume; uses highdicom with its tolerances.

    Args:
        instances: Slices that have a placement, in any order.

    Raises:
        StudyError: ``MISSING_SLICE`` or ``AMBIGUOUS_GEOMETRY``.
    """
    places = [instance.placement for instance in instances if instance.placement is not None]
    if len({place.orientation for place in places}) > 1:
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The slices are not exactly parallel.")
    if len({place.pixel_spacing for place in places}) > 1:
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The slices differ in pixel spacing.")
    directions = np.reshape(places[0].orientation, (2, 3))
    if np.abs(np.linalg.norm(directions, axis=1) - 1).max() > _UNIT:
        # highdicom would take their length for a factor of the pixel spacing.
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The orientation of the slices is not valid.")
    positions = [place.position for place in places]
    try:
        with quiet():
            distance, order = get_volume_positions(
                image_positions=positions, image_orientation=places[0].orientation
            )
        if order is None or distance is None:
            return _uneven_stack(instances, places)
        spacing = distance if len(places) > 1 else instances[0].thickness
        affine = along_normal(_geometry(instances[0], places[order.index(0)], spacing, len(places)))
        if not in_place(affine, positions):
            return _uneven_stack(instances, places)
    except ValueError:
        # highdicom refuses direction cosines that are not at right angles.
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The orientation of the slices is not valid.") from None
    ordered = tuple(instances[order.index(index)] for index in reversed(range(len(order))))
    return Stack(ordered, affine)


def in_place(affine: Affine, positions: Sequence[Sequence[float]]) -> bool:
    """Whether slices lie where an affine puts them, to half a voxel.

    Args:
        affine: ``(4, 4)``, from (slice, row, column) to LPS mm.
        positions: Of the first pixel of each slice in LPS mm, in any order.
    """
    index = np.linalg.solve(affine[:3, :3], (np.array(positions) - affine[:3, 3]).T)
    index[0] = np.sort(index[0]) - np.arange(len(positions))
    return bool(np.abs(index).max() <= _IN_PLACE)


def along_normal(geometry: VolumeGeometry) -> Affine:
    """Returns the affine of the slices in the direction of their normal, LPS mm.

    highdicom stacks slices against the cross product of the row and column direction;
    other software, and thus the slice number a user knows, goes along with it.
    """
    affine: Affine = geometry.flip_spatial(0).affine
    return affine


def _geometry(instance: Instance, place: Placement, spacing: float, number: int) -> VolumeGeometry:
    return VolumeGeometry.from_attributes(
        image_position=place.position,
        image_orientation=place.orientation,
        rows=instance.rows,
        columns=instance.columns,
        pixel_spacing=place.pixel_spacing,
        spacing_between_slices=spacing,
        number_of_frames=number,
        coordinate_system="PATIENT",
    )


def _uneven_stack(instances: Sequence[Instance], places: Sequence[Placement]) -> Stack:
    """Looks for a volume in slices that lie at a slant or at uneven distances.

    Raises:
        StudyError: If there is none.
        ValueError: If the orientation is not valid.
    """
    positions = np.array([place.position for place in places])
    distances = positions @ np.cross(places[0].orientation[:3], places[0].orientation[3:])
    order = np.argsort(distances)
    ordered = tuple(instances[index] for index in order)
    positions, distances = positions[order], distances[order]
    gaps = np.diff(distances)
    if gaps.min() <= 0:
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "Several slices lie in the same plane.")
    affine = along_normal(_geometry(ordered[0], places[order[0]], float(gaps.mean()), 1))
    drift = distances - np.linspace(distances[0], distances[-1], len(distances))
    even = np.abs(gaps / gaps.mean() - 1).max() <= _EVEN and np.abs(drift).max() <= _IN_PLACE * gaps.mean()
    refusal = StudyError(
        Code.AMBIGUOUS_GEOMETRY, "The slices are neither above each other nor along a straight line."
    )
    if not even:
        text = f"The gaps between its {len(places)} slices are {gaps.min():.2f} to {gaps.max():.2f} mm."
        refusal = StudyError(Code.MISSING_SLICE, text)
    if not _straight(positions, distances, affine):
        raise refusal
    affine[:3, 0] = (positions[-1] - positions[0]) / (len(places) - 1)
    across = affine[:3, 1:3].T @ affine[:3, 0] / np.linalg.norm(affine[:3, 1:3], axis=0)
    slant = np.degrees(np.arctan2(np.linalg.norm(across), gaps.mean()))
    if even and slant <= _MOST_SLANT:
        grid = (len(places), ordered[0].rows, ordered[0].columns)
        return Stack(ordered, affine, upright(affine, grid, _tilted))
    if even or np.abs(across).max() * (len(places) - 1) > _IN_PLACE * min(ordered[0].pixel_shape):
        raise refusal
    return Stack(ordered, affine, _evenly(ordered[0], distances, affine), refusal)


def _straight(positions: npt.NDArray[np.float64], distances: npt.NDArray[np.float64], affine: Affine) -> bool:
    """Whether the first pixels of all slices lie on one line, to a fraction of a pixel."""
    line = np.outer((distances - distances[0]) / (distances[-1] - distances[0]), positions[-1] - positions[0])
    pixel = np.linalg.norm(affine[:3, 1:3], axis=0).min()
    return bool(np.linalg.norm(positions - positions[0] - line, axis=1).max() <= _STRAIGHT * pixel)


def _tilted(angle: float) -> Problem:
    return Problem(Code.TILTED, f"The slant was {angle:.1f} degrees.")


def _evenly(first: Instance, distances: npt.NDArray[np.float64], affine: Affine) -> Even | None:
    found = even_places(distances, _EVEN)
    if found is None:
        return None
    spacing, below, weights = found
    regular = affine.copy()
    regular[:3, 0] *= spacing / np.linalg.norm(affine[:3, 0])
    computed = sum(weight > 0 for weight in weights)
    return Even(
        shape=(first.rows, first.columns),
        affine=regular,
        below=below,
        weights=weights,
        problem=Problem(Code.RESAMPLED, f"Computed are {computed} of {len(below)} slices."),
    )
