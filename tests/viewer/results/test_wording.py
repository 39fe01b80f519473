from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.detection.result import ExampleEvidence
from napari_d24fad.viewer.results.wording import (
    examples_statement,
    highest_normal_slice,
    p_text,
    scan_statement,
    slices_text,
)
from tests.heads import anomaly_of, head


@pytest.mark.parametrize(
    ("p_value", "references", "text"),
    [(1 / 9, 8, "0.11"), (0.001, 8, "0.11"), (1 / 3, 2, "0.33"), (1.0, 5, "1"), (5 / 6, 5, "0.83")],
)
def test_no_p_value_is_below_what_the_references_can_give(p_value: float, references: int, text: str) -> None:
    assert p_text(p_value, 1 / (references + 1)) == text


def test_statement_says_when_no_smaller_p_is_possible() -> None:
    anomaly = anomaly_of(head(0))  # references score 0.9 to 1.3
    assert scan_statement(anomaly) == (
        "p = 0.25, the smallest that 3 references can give (1 in 4): none of them scores as high as "
        "this scan. Score 3.05; references 0.9 to 1.3, each examined against the others."
    )
    middle = replace(anomaly, score=1.0, p_value=0.75)
    assert scan_statement(middle).startswith(
        "p = 0.75: 2 of the 3 normal references score as high as this scan or higher. Score 1;"
    )


def test_nothing_unusual_is_not_called_normal() -> None:
    told = scan_statement(replace(anomaly_of(head(0)), score=0.5, p_value=1.0))
    assert told.startswith("p = 1: no more unusual than the references are among themselves. Score 0.5;")


def test_statement_says_what_examples_changed_and_which_would_have_been_missed() -> None:
    plain = anomaly_of(head(0))
    assert examples_statement(plain) == ""

    def told(along: float, *found: bool, kinds: tuple[str, ...] = ()) -> str:
        evidence = ExampleEvidence(0.8, along, 0.0, found, 1 if len(found) > 1 else 0, 2.5, kinds)
        return examples_statement(replace(plain, examples=evidence))

    assert told(2, True, True, False, True) == (
        "With 4 abnormal examples: most like example 2. Score 3.05, without them 2.5. "
        "3 of 4 examples would have been found by the others (not 3)."
    )
    assert "most like example 2 (mass). " in told(2, True, True, kinds=("", "mass"))
    assert told(2, False, False).endswith("0 of 2 examples would have been found by the others.")
    assert told(-1, True) == (
        "With 1 abnormal example: no more like it than normal scans are, same score. "
        "The example would have been found by the references alone."
    )


def test_slices_are_counted_from_one_in_rising_order() -> None:
    assert slices_text(4, 4) == "5"
    assert slices_text(6, 4) == slices_text(4, 6) == "5–7"


def test_highest_normal_slice_ignores_what_was_not_examined() -> None:
    anomaly = anomaly_of(head(0))
    assert highest_normal_slice(anomaly) == pytest.approx(1.3)
    nothing = replace(anomaly, reference_slice_scores=np.full((2, 3), np.nan, np.float32))
    assert highest_normal_slice(nothing) is None
