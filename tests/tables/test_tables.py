"""The tables of docs/ are up to date, and every file of pydicom is read as pydicom reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from napari_d24fad.network.card import read_card
from tests.studies.corpus import CASES
from tests.studies.corpus.case import Volume
from tests.tables.architecture import architecture, drawing
from tests.tables.card import CARD, card
from tests.tables.conformance import outcome
from tests.tables.errors import errors
from tests.tables.imports import circle, modules, rooms
from tests.tables.pydicom_files import FILES, FOLDER
from tests.tables.pydicom_files import outcome as file_outcome
from tests.tables.transfer_syntaxes import PROVEN, transfer_syntaxes

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _rows(name: str) -> dict[str, list[str]]:
    """The rows of a page's last table by their first cell."""
    table = (DOCS / name).read_text(encoding="utf-8").split("\n\n")[-1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize(
    ("name", "made"), [("architecture.md", architecture), ("figures/architecture.svg", drawing)]
)
def test_architecture(name: str, made: Callable[[], str]) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == made(), "run make docs"


def test_neither_rooms_nor_modules_import_each_other_in_a_circle() -> None:
    assert circle(rooms()) == []
    assert circle(modules()) == []
    assert circle({"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("b")}) == ["b", "c", "b"]


def test_errors() -> None:
    assert (DOCS / "errors.md").read_text(encoding="utf-8") == errors(), "run make docs"


def test_transfer_syntaxes() -> None:
    page = (DOCS / "formats/transfer-syntaxes.md").read_text(encoding="utf-8")
    assert page == transfer_syntaxes(), "run make docs"


def test_a_case_has_the_transfer_syntax_that_it_proves(tmp_path: Path) -> None:
    cases = {case.name: case for case in CASES}
    for syntax, names in PROVEN.items():
        for name in names:
            folder = tmp_path / f"{syntax} {len(name)}"
            cases[name].write(folder)
            stated = {pydicom.dcmread(path).file_meta.TransferSyntaxUID for path in folder.iterdir()}
            assert stated == {syntax}, name
            assert all(isinstance(expected, Volume) for expected in cases[name].expected)


def test_card() -> None:
    assert (DOCS / "card.md").read_text(encoding="utf-8") == card(), "run make docs"


def test_the_readme_states_what_the_card_does() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    held_out = [each for each in read_card(CARD).figures if not each["seen_in_training"]]
    assert held_out
    for each in held_out:
        if each["metric"] in ("image AUROC", "pixel AUROC", "AUPRO", "best Dice"):
            assert f"{each['value']:.3f} [{each['low']:.3f}, {each['high']:.3f}]" in readme, each


def test_conformance_lists_every_case_with_its_outcome() -> None:
    assert {name: row[0] for name, row in _rows("formats/conformance.md").items()} == {
        case.name: outcome(case) for case in CASES
    }, "run make docs"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_of_pydicom(path: Path) -> None:
    text = file_outcome(path)
    assert re.match(r"same, |S\d\d: |directory of \d+ series", text)
    rows = _rows("formats/pydicom-files.md")
    stated = (DOCS / "formats/pydicom-files.md").read_text(encoding="utf-8")
    if f"pydicom {pydicom.__version__}," in stated:
        assert rows[path.relative_to(FOLDER).as_posix()] == [text], "run make docs"
