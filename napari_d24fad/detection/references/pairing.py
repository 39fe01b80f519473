"""Whether a scan may be compared with these references at all: refused before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.scan import Problem, Scan

MIN_REFERENCES = 2
USUAL_REFERENCES = 8

_MOST_RATIO = 2.0
"""Scans whose voxels are this many times as long as the other's still pass without a word."""


def check_references(references: Sequence[Scan]) -> None:
    """Checks that references agree with each other.

    Args:
        references: The scans marked as normal.

    Raises:
        PairingError: Too few, one of them twice, or not of one kind.
    """
    if len(references) < MIN_REFERENCES:
        raise PairingError(Code.TOO_FEW_REFERENCES, f"{len(references)} given.")
    for number, reference in enumerate(references, start=1):
        for earlier, other in enumerate(references[: number - 1], start=1):
            if same_pixels(reference, other):
                raise PairingError(Code.DUPLICATE_REFERENCE, f"References {earlier} and {number} are equal.")
            check_kind(reference, other, f"References {earlier} and {number} differ.")


def check_pairing(query: Scan, references: Sequence[Scan]) -> tuple[Problem, ...]:
    """Checks that a scan can be examined with these references.

    Args:
        query: The scan to examine.
        references: The scans marked as normal.

    Returns:
        What to show beside the result; empty if there is nothing to say.

    Raises:
        PairingError: Too few references, the query or a duplicate among them, or another
            modality, slice orientation, photometric kind or dimension.
    """
    check_references(references)
    for number, reference in enumerate(references, start=1):
        if same_pixels(query, reference):
            raise PairingError(Code.QUERY_IS_REFERENCE, f"It is reference {number}.")
        check_kind(query, reference, f"See reference {number}.")
    return tuple(_warnings(query, references))


def same_pixels(first: Scan, second: Scan) -> bool:
    """Whether two scans hold the same values, wherever they came from."""
    if first.voxels.shape != second.voxels.shape:
        return False
    if first.pixels_hash or second.pixels_hash:
        return first.content_hash() == second.content_hash()
    may_hold_nan = bool(np.issubdtype(first.voxels.dtype, np.floating))
    # Slice by slice: scans that differ do so in the first few, and reading on takes seconds.
    return all(
        np.array_equal(one, other, equal_nan=may_hold_nan)
        for one, other in zip(first.voxels, second.voxels, strict=True)
    )


def check_kind(first: Scan, second: Scan, which: str) -> None:
    """Checks that two scans can be compared at all.

    Args:
        first: One of them.
        second: The other.
        which: Says which two these are.

    Raises:
        PairingError: Another modality, slice orientation, photometric kind, unit or dimension.
    """
    if first.is_colour != second.is_colour:
        raise PairingError(Code.COLOUR_MISMATCH, which)
    if first.is_volume != second.is_volume:
        raise PairingError(Code.DIMENSION_MISMATCH, which)
    if first.modality != second.modality and (first.modality and second.modality):
        raise PairingError(Code.MODALITY_MISMATCH, f"{which} One is {first.modality}, one {second.modality}.")
    if first.modality != second.modality and "CT" in (first.modality, second.modality):
        # CT is windowed in HU, an unknown modality by percentiles: never mix the two.
        raise PairingError(
            Code.MODALITY_MISMATCH, f"{which} One is CT, the other does not state its modality."
        )
    if first.unit != second.unit:
        # PET in SUV has fixed limits, other PET its own: never mix the two.
        raise PairingError(Code.MODALITY_MISMATCH, f"{which} One is PET in SUV, the other is not.")
    if first.plane and second.plane and first.plane is not second.plane:
        raise PairingError(
            Code.PLANE_MISMATCH, f"{which} One is {first.plane.value}, one {second.plane.value}."
        )


def _warnings(query: Scan, references: Sequence[Scan]) -> list[Problem]:
    found = []
    if len(references) > USUAL_REFERENCES:
        found.append(Problem(Code.MANY_REFERENCES, f"There are {len(references)}."))
    if any(reference.modality != query.modality for reference in references):
        found.append(Problem(Code.MODALITY_UNSTATED))
    if query.is_volume and not all(scan.in_patient for scan in (query, *references)):
        found.append(Problem(Code.POSITION_UNSTATED))
    doubtful = {
        Code.SPACING_MISMATCH: _is_much_coarser_or_finer,
        Code.BODY_PART_MISMATCH: _is_of_another_part,
        Code.AGENT_MISMATCH: _is_with_or_without_contrast,
        Code.SAME_PATIENT: is_of_the_same_patient,
    }
    for code, applies in doubtful.items():
        numbers = [n for n, reference in enumerate(references, start=1) if applies(query, reference)]
        if numbers:
            found.append(Problem(code, _these(numbers)))
    return found


def _is_much_coarser_or_finer(query: Scan, reference: Scan) -> bool:
    if not (query.has_geometry and reference.has_geometry):
        return False
    ratios = np.divide(_resolution(reference), _resolution(query))
    return bool((np.maximum(ratios, 1 / ratios) > _MOST_RATIO).any())


def _resolution(scan: Scan) -> tuple[float, ...]:
    """Returns the mean side of a pixel, and for volumes the distance of slices, in mm."""
    across = [length for axis, length in enumerate(scan.spacing) if axis != scan.slice_axis]
    pixel = float(np.sqrt(np.prod(across)))
    return (pixel, scan.spacing[scan.slice_axis]) if scan.is_volume else (pixel,)


def _is_of_another_part(query: Scan, reference: Scan) -> bool:
    own, other = query.identity.body_part, reference.identity.body_part
    return bool(own and other) and own != other


def _is_with_or_without_contrast(query: Scan, reference: Scan) -> bool:
    return query.identity.with_contrast != reference.identity.with_contrast


def is_of_the_same_patient(query: Scan, reference: Scan) -> bool:
    """Whether the headers of two scans name the same patient; False where one names none."""
    return bool(query.identity.patient_key) and query.identity.patient_key == reference.identity.patient_key


def _these(numbers: Iterable[int]) -> str:
    """Names references by their numbers."""
    *before, last = map(str, numbers)
    return f"References {', '.join(before)} and {last}." if before else f"Reference {last}."
