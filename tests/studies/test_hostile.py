"""Every hostile file ends in the right picture or a refusal, soon, and leaves the disk as it was."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.studies.corpus.case import Case
from tests.studies.corpus.check import check
from tests.studies.hostile import CASES

_SECONDS = 120
"""What takes no end; the longest case takes 2 s, and 11 on a machine that other programs slow down."""
_MIB = 600


def _most_resident(*, reset: bool = False) -> int:
    """The most memory that this process held since it was reset; 0 where only Linux could tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(tmp_path: Path, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    built = case.write(tmp_path / "study")
    before = sorted(tmp_path.rglob("*"))
    opened = replace(case, build=lambda folder: built)
    start, resident = time.process_time(), _most_resident(reset=True)
    check(opened, tmp_path / "study")
    assert time.process_time() - start < _SECONDS
    assert _most_resident() - resident < _MIB * 2**20
    assert sorted(tmp_path.rglob("*")) == before


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
