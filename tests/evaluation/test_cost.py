"""What an examination costs is measured when all else is saved: nothing that happens then can lose it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from napari_d24fad import cli
from napari_d24fad.evaluation import cost
from tests.cli.conftest import model  # noqa: F401 - a fixture
from tests.evaluation.images import make_task


def die(*_: object) -> None:
    """Ends the process as the system does when memory runs out: no exception comes back."""
    os._exit(9)


@pytest.mark.parametrize("dies", [True, False])
def test_a_dead_child_leaves_out_the_cost_and_nothing_else(
    tmp_path: Path,
    model: Path,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    dies: bool,
) -> None:
    make_task(tmp_path / "data" / "hand")
    words = ["evaluate", str(tmp_path / "data"), "--model", str(model), "--out", str(tmp_path / "out")]
    words += ["--shots", "2", "--draws", "1", "--device", "cpu", "--no-figures", "--json"]
    if dies:
        monkeypatch.setattr(cost, "_examine", die)
    assert cli.main(words) == 0
    told = capsys.readouterr()
    written = json.loads((tmp_path / "out" / "random-matched" / "evaluation.json").read_text())
    assert json.loads(told.out) == written
    assert written["mean_image_auroc"] > 0.5
    assert (written["cost"] is None) == dies
    assert ("warning: What an examination costs is left out" in told.err) == dies
    assert (tmp_path / "out" / "trade-off.png").exists() == (not dies)
    (row,) = (tmp_path / "out" / "runs.csv").read_text().splitlines()[1:]
    seconds = row.split(",")[2]
    assert (seconds == "") == dies
