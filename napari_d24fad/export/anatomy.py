"""What a picture must say about where it lies in the patient."""

from __future__ import annotations

from math import floor, log10

import numpy as np
import numpy.typing as npt

from napari_d24fad.studies.lengths import lengths_text
from napari_d24fad.studies.orientation import canonical, canonical_orientation
from napari_d24fad.studies.scan import Scan

_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))
"""Names of the negative and positive end of each LPS axis, as in DICOM Patient Orientation (0020,0020)."""
_SECOND_LETTER_FROM = 0.26
"""Sine of 15 degrees: a direction that is turned further gets a second letter."""


def direction_letters(direction: npt.NDArray[np.float64]) -> str:
    """Names a direction in the patient, nearest first, such as ``"L"`` or ``"AH"``.

    Args:
        direction: LPS vector of any length.
    """
    unit = direction / np.linalg.norm(direction)
    order = np.argsort(-np.abs(unit), kind="stable")[:2]
    named = [axis for rank, axis in enumerate(order) if rank == 0 or abs(unit[axis]) > _SECOND_LETTER_FROM]
    return "".join(_LETTERS[axis][int(unit[axis] > 0)] for axis in named)


def edge_letters(upright: Scan) -> tuple[str, str, str, str] | None:
    """Names what lies beyond the left, right, top and bottom edge of a slice.

    Args:
        upright: A scan in canonical order.

    Returns:
        Four names, or None where sides are not known.
    """
    if not upright.in_patient:
        return None
    down, right = upright.affine[:3, 1], upright.affine[:3, 2]
    return (
        direction_letters(-right),
        direction_letters(right),
        direction_letters(-down),
        direction_letters(down),
    )


def slice_number(scan: Scan, index: int) -> int:
    """Returns the number, from 1, that the viewer shows for a slice.

    Args:
        scan: The scan in its own order.
        index: Along its `slice_axis`.
    """
    return (scan.n_slices - index) if canonical_orientation(scan).flips[0] else index + 1


def slice_position_mm(scan: Scan, index: int) -> tuple[float, float, float] | None:
    """Returns the centre of a slice in LPS mm; None where sides are not known.

    Args:
        scan: The scan in its own order.
        index: Along its `slice_axis`.
    """
    if not scan.in_patient:
        return None
    centre = [(size - 1) / 2 for size in scan.grid]
    centre[scan.slice_axis] = index
    x, y, z = (scan.affine @ [*centre, 1.0])[:3]
    return float(x), float(y), float(z)


def slice_text(scan: Scan, index: int) -> str:
    """Says which slice this is, such as ``"Axial slice 12 of 24, H 34.5 mm"``.

    Args:
        scan: The scan in its own order.
        index: Along its `slice_axis`.
    """
    number = f"slice {slice_number(scan, index)} of {scan.n_slices}"
    position = slice_position_mm(scan, index)
    if scan.plane is None or position is None:
        return number.capitalize() if scan.is_volume else ""
    step = canonical(scan).affine[:3, 0]
    axis = int(np.abs(step).argmax())
    letter = _LETTERS[axis][int(position[axis] > 0)]
    place = lengths_text([abs(position[axis])], finest=float(np.linalg.norm(step)))
    return f"{scan.plane.value.capitalize()} {number}, {letter} {place}"


def round_length(available: float) -> float:
    """Returns the longest of 1, 2, 5, 10, 20, 50 ... that fits, for a scale bar.

    Args:
        available: Length at most, in the same unit.
    """
    power = 10.0 ** floor(log10(available))
    return max(step * power for step in (1, 2, 5) if step * power <= available)
