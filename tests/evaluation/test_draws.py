from __future__ import annotations

from dataclasses import dataclass

import pytest

from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.evaluation.draws import split


@dataclass(frozen=True)
class Known:
    """What a draw has to know of a scan."""

    may_refer: bool
    may_query: bool
    patient: str = ""


EITHER, TRAIN, TEST = Known(True, True), Known(True, False), Known(False, True)


def test_the_first_are_references_and_the_others_are_examined() -> None:
    assert split([3, 1, 0, 2], 2, None) == ([3, 1], [0, 2])
    assert split([3, 1, 0, 2], 2, [EITHER] * 4) == ([3, 1], [0, 2])


def test_training_scans_are_never_examined_and_test_scans_never_references() -> None:
    assert split([0, 1, 2, 3, 4], 2, [TEST, TRAIN, TRAIN, TRAIN, TEST]) == ([1, 2], [0, 4])


def test_no_patient_is_on_both_sides() -> None:
    scans = [Known(True, True, patient) for patient in ("a", "b", "a", "c", "")]
    assert split([0, 1, 2, 3, 4], 2, scans) == ([0, 1], [3, 4])
    assert split([0, 1, 2, 3, 4], 2, scans, ["c"]) == ([0, 1], [4])


@pytest.mark.parametrize("scans", [[TRAIN] * 4, [TEST] * 4, [EITHER] * 2])
def test_too_few_of_either_are_refused(scans: list[Known]) -> None:
    with pytest.raises(TrainingError) as refusal:
        split(list(range(len(scans))), 2, scans)
    assert refusal.value.code is Code.DATA_LAYOUT
