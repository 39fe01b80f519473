"""The tables of docs/ are up to date, and every file of pydicom is read as pydicom reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pydicom
import pytest

from tests.studies.corpus import CASES
from tests.tables.conformance import outcome
from tests.tables.errors import errors
from tests.tables.pydicom_files import FILES, FOLDER
from tests.tables.pydicom_files import outcome as file_outcome

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _rows(name: str) -> dict[str, list[str]]:
    """The rows of a page's last table by their first cell."""
    table = (DOCS / name).read_text(encoding="utf-8").split("\n\n")[-1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {row[0]: row[1:] for row in rows}


def test_errors() -> None:
    assert (DOCS / "errors.md").read_text(encoding="utf-8") == errors(), "run make docs"


def test_conformance_lists_every_case_with_its_outcome() -> None:
    assert {name: row[0] for name, row in _rows("conformance.md").items()} == {
        case.name: outcome(case) for case in CASES
    }, "run make docs"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_of_pydicom(path: Path) -> None:
    text = file_outcome(path)
    assert re.match(r"same, |S\d\d: |directory of \d+ series", text)
    rows = _rows("pydicom-files.md")
    stated = (DOCS / "pydicom-files.md").read_text(encoding="utf-8")
    if f"pydicom {pydicom.__version__}," in stated:
        assert rows[path.relative_to(FOLDER).as_posix()] == [text], "run make docs"
