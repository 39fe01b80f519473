"""Orders slices along their normal and finds the affine, or says why there is none.

Scanners and converters round what they write, so that slices of one volume differ by a little in
direction, spacing and place. What is too much is decided in millimetres, see `tolerances`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.tolerances import Plane, common_plane, even_line, position_tolerance, within
from napari_d24fad.studies.regrid import Even, Regrid, even_places, upright
from napari_d24fad.studies.scan import Affine, Problem

# Gantries tilt by up to 30 degrees; what leans over further was not stacked as a volume.
_MOST_SLANT = 45.0
# Below this angle in degrees, slices at a slant stay as they are, and the affine says so: as with NIfTI.
_SQUARE = 0.1
# A gap is a number of others if it is by this part of one.
_WHOLE = 0.1


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
    """Orders the slices of one volume.

    Args:
        instances: Slices that have a placement, in any order.

    Raises:
        StudyError: ``MISSING_SLICE``, ``UNEVEN_SLICES`` or ``AMBIGUOUS_GEOMETRY``.
    """
    plane = common_plane(instances)
    places = plane.of(np.array([each.placement.position for each in instances if each.placement]))
    order = np.argsort(places[:, 0], kind="stable")
    ordered, places = tuple(instances[index] for index in order), places[order]
    distances, beside = places[:, 0], places[:, 1:]
    if len(ordered) == 1:
        return Stack(ordered, plane.affine(places[0], np.array([ordered[0].thickness, 0.0, 0.0])))
    gaps = np.diff(distances)
    if gaps.min() <= 0:
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "Several slices lie in the same plane.")
    line = even_line(distances)
    slope = _slope(beside, distances, plane)
    if line is None:
        return _uneven(ordered, places, plane, slope)
    if slope is None:
        raise StudyError(
            Code.AMBIGUOUS_GEOMETRY, "The slices are neither above each other nor along a straight line."
        )
    start, spacing = line
    first = beside.mean(axis=0) + (start - distances.mean()) * slope
    if not slope.any() and within(beside - beside[0], plane.beside):
        first = beside[0]
    affine = plane.affine(np.array([start, *first]), spacing * np.array([1.0, *slope]))
    slant = float(np.degrees(np.arctan(np.linalg.norm(slope))))
    if slant <= _SQUARE:
        return Stack(ordered, affine)
    if slant > _MOST_SLANT:
        raise StudyError(
            Code.AMBIGUOUS_GEOMETRY, "The slices are neither above each other nor along a straight line."
        )
    grid = (len(ordered), ordered[0].rows, ordered[0].columns)
    return Stack(ordered, affine, upright(affine, grid, _tilted))


def is_even(instances: Sequence[Instance]) -> bool:
    """Whether slices lie at even distances, to rounding; two of them do."""
    try:
        plane = common_plane(instances)
    except StudyError:
        return False
    places = plane.of(np.array([each.placement.position for each in instances if each.placement]))
    distances = np.sort(places[:, 0])
    return len(distances) < 2 or (bool(np.diff(distances).min() > 0) and even_line(distances) is not None)


def _slope(
    beside: npt.NDArray[np.float64], distances: npt.NDArray[np.float64], plane: Plane
) -> npt.NDArray[np.float64] | None:
    """Returns how far the slices lie aside, down and right, for each mm along the normal.

    Returns:
        Zeros if they stand upright, to rounding; None if they lie on no line.
    """
    if within(beside - beside.mean(axis=0), plane.beside) or within(beside - beside[0], plane.beside):
        return np.zeros(2)
    along = distances - distances.mean()
    slope: npt.NDArray[np.float64] = along @ (beside - beside.mean(axis=0)) / (along @ along)
    rest = beside - beside.mean(axis=0) - np.outer(along, slope)
    return slope if within(rest, plane.beside) else None


def _uneven(
    ordered: tuple[Instance, ...],
    places: npt.NDArray[np.float64],
    plane: Plane,
    slope: npt.NDArray[np.float64] | None,
) -> Stack:
    """Looks for a volume in slices at uneven distances that stand upright.

    Raises:
        StudyError: If there is none.
    """
    distances = places[:, 0]
    gaps = np.diff(distances)
    missing = _missing(gaps)
    text = f"The gaps between its {len(places)} slices are {gaps.min():.2f} to {gaps.max():.2f} mm."
    refusal = StudyError(Code.MISSING_SLICE if missing else Code.UNEVEN_SLICES, text)
    if slope is None or slope.any():
        raise refusal
    tolerance = position_tolerance(float(np.median(gaps))) / float(np.median(gaps))
    found = even_places(distances, tolerance)
    first = plane.affine(places[0], np.array([float(gaps.mean()), 0.0, 0.0]))
    if found is None:
        return Stack(ordered, first, None, refusal)
    spacing, below, weights = found
    computed = sum(weight > 0 for weight in weights)
    even = Even(
        shape=(ordered[0].rows, ordered[0].columns),
        affine=plane.affine(places[0], np.array([spacing, 0.0, 0.0])),
        below=below,
        weights=weights,
        problem=Problem(Code.RESAMPLED, f"Computed are {computed} of {len(below)} slices."),
    )
    return Stack(ordered, first, even, refusal)


def _missing(gaps: npt.NDArray[np.float64]) -> bool:
    """Whether all gaps are whole numbers of the smallest one: slices are missing, and nothing else."""
    times = gaps / np.median(gaps[gaps < 1.5 * gaps.min()])
    return bool(np.abs(times - np.round(times)).max() <= _WHOLE)


def _tilted(angle: float) -> Problem:
    return Problem(Code.TILTED, f"The slant was {angle:.1f} degrees.")
