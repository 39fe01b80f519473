"""The walk of a day on real data, with fewer films than ``python -m tests.viewer.walk`` takes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from napari_d24fad.viewer.dock import DetectionDock
from tests.viewer.walk.day import DATA, Day
from tests.viewer.walk.hands import Hands
from tests.viewer.walk.steps import Walk

SLICES = 30
pytestmark = [
    pytest.mark.skipif(not DATA.exists(), reason="real data is not in ../shared"),
    pytest.mark.filterwarnings("ignore:Private attribute access:FutureWarning"),
]


def test_a_day_is_read(dock: DetectionDock, tmp_path: Path) -> None:
    day = Day.of(6, 3, 0)
    few = tmp_path / "head"
    few.mkdir()
    for file in sorted(day.head.iterdir())[:SLICES]:
        shutil.copy(file, few)
    walk = Walk(Hands(dock.viewer, dock), replace(day, head=few), tmp_path)
    for step in walk.steps().values():
        step()
