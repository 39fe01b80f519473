"""Whether a scan may be compared with these references at all: refused before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.scan import Scan

MIN_REFERENCES = 2
USUAL_REFERENCES = 8


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
            _check_kind(reference, other, f"References {earlier} and {number} differ.")


def check_pairing(query: Scan, references: Sequence[Scan]) -> tuple[str, ...]:
    """Checks that a scan can be examined with these references.

    Args:
        query: The scan to examine.
        references: The scans marked as normal.

    Returns:
        Sentences to show beside the result; empty if there is nothing to say.

    Raises:
        PairingError: Too few references, the query or a duplicate among them, or another
            modality, slice orientation, photometric kind or dimension.
    """
    check_references(references)
    for number, reference in enumerate(references, start=1):
        if same_pixels(query, reference):
            raise PairingError(Code.QUERY_IS_REFERENCE, f"It is reference {number}.")
        _check_kind(query, reference, f"See reference {number}.")
    return tuple(_warnings(query, references))


def same_pixels(first: Scan, second: Scan) -> bool:
    """Whether two scans hold the same values, wherever they came from."""
    if first.voxels.shape != second.voxels.shape:
        return False
    may_hold_nan = bool(np.issubdtype(first.voxels.dtype, np.floating))
    # Slice by slice: scans that differ do so in the first few, and reading on takes seconds.
    return all(
        np.array_equal(one, other, equal_nan=may_hold_nan)
        for one, other in zip(first.voxels, second.voxels, strict=True)
    )


def _check_kind(first: Scan, second: Scan, which: str) -> None:
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
    if first.is_volume and first.plane and second.plane and first.plane is not second.plane:
        raise PairingError(
            Code.PLANE_MISMATCH, f"{which} One is {first.plane.value}, one {second.plane.value}."
        )


def _warnings(query: Scan, references: Sequence[Scan]) -> list[str]:
    sentences = []
    if len(references) > USUAL_REFERENCES:
        sentences.append(
            f"{len(references)} references were used; the method was measured with two to eight."
        )
    if any(reference.modality != query.modality for reference in references):
        sentences.append("Some scans do not state their modality; check that all show the same one.")
    if query.is_volume and not all(scan.has_geometry for scan in (query, *references)):
        sentences.append("Some volumes state no position in the patient; left and right could be exchanged.")
    own = max(query.spacing)
    if any(
        scan.has_geometry and query.has_geometry and not 0.5 <= max(scan.spacing) / own <= 2
        for scan in references
    ):
        sentences.append("Some references are more than twice as coarse or as fine as this scan.")
    identity = query.identity.patient_key
    if identity and any(reference.identity.patient_key == identity for reference in references):
        sentences.append("A reference belongs to the same patient; a lesion in both would look normal.")
    return sentences
