"""Whether abnormal examples go with normal references and a scan to examine."""

from __future__ import annotations

from collections.abc import Sequence

from napari_d24fad.detection.references.pairing import (
    check_kind,
    is_of_the_same_patient,
    same_pixels,
)
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.scan import Problem, Scan


def check_examples(examples: Sequence[Scan], references: Sequence[Scan]) -> tuple[Problem, ...]:
    """Checks that scans can be abnormal examples beside these references.

    Args:
        examples: The scans marked as abnormal.
        references: The scans marked as normal; they were checked.

    Returns:
        What to show beside the result.

    Raises:
        PairingError: A scan that is marked twice, or one of another kind than the references.
    """
    for number, example in enumerate(examples, start=1):
        for earlier, other in enumerate(examples[: number - 1], start=1):
            if same_pixels(example, other):
                detail = f"Abnormal examples {earlier} and {number} are equal."
                raise PairingError(Code.DUPLICATE_EXAMPLE, detail, example=number - 1)
        for at, reference in enumerate(references, start=1):
            if same_pixels(example, reference):
                detail = f"Abnormal example {number} equals reference {at}."
                raise PairingError(Code.NORMAL_AND_ABNORMAL, detail, example=number - 1)
            try:
                check_kind(example, reference, f"Abnormal example {number} and reference {at} differ.")
            except PairingError as error:
                raise PairingError(error.code, error.detail, example=number - 1) from error
    if len(examples) > len(references):
        detail = f"There are {len(examples)} abnormal examples and {len(references)} references."
        return (Problem(Code.MORE_EXAMPLES_THAN_REFERENCES, detail),)
    return ()


def check_query(query: Scan, examples: Sequence[Scan]) -> tuple[Problem, ...]:
    """Checks a scan to examine against abnormal examples.

    Returns:
        What to show beside the result.

    Raises:
        PairingError: QUERY_IS_EXAMPLE.
    """
    found = []
    for number, example in enumerate(examples, start=1):
        if same_pixels(query, example):
            raise PairingError(Code.QUERY_IS_EXAMPLE, f"It is abnormal example {number}.", example=number - 1)
        if is_of_the_same_patient(query, example):
            found.append(Problem(Code.EXAMPLE_OF_SAME_PATIENT, f"Abnormal example {number}.", number - 1))
    return tuple(found)
