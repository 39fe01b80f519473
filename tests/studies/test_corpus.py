"""Every case of the corpus ends as expected: the right volume, or a refusal with its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.studies.corpus import CASES
from tests.studies.corpus.case import Case
from tests.studies.corpus.check import check


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(tmp_path: Path, case: Case) -> None:
    check(case, tmp_path / "study")


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
