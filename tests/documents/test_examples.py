"""The lines of the documents that can be run on a sample study do what the documents say."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from napari_d24fad.cli import main
from napari_d24fad.settings import CACHE_VARIABLE, FEATURES_LIMIT_VARIABLE
from tests.documents.reading import REPOSITORY, blocks
from tests.heads import write_study

DOCS = REPOSITORY / "docs"


def test_the_python_of_the_documents_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_study(tmp_path / "study", slices=slice(2, 8))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    parts = [block for block in blocks(DOCS / "python.md") if block.language == "python"]
    assert len(parts) == 5
    for block in parts:
        exec(compile(block.text, block.page, "exec"), names)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "anomaly.nii.gz",
        "overlay.png",
        "report.json",
    }
    assert (tmp_path / "report" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert capsys.readouterr().out.count("%") > 2  # the progress of the last block


def test_the_commands_of_the_try_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """On smaller scans in the folders that the demonstration makes; it is tested by itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(FEATURES_LIMIT_VARIABLE, "1")
    section = (DOCS / "cli.md").read_text(encoding="utf-8").partition("## A try\n")[2].partition("\n## ")[0]
    section = section.replace("\\\n", " ")  # a line that goes on in the next
    lines = [line.split("#")[0].strip() for line in section.splitlines() if line.startswith("    d24fad ")]
    assert lines[0] == "d24fad demo --out demo-output --close"
    write_study(tmp_path / "demo-output" / "sample-study", references=5, slices=slice(2, 8))
    for line in lines[1:]:
        assert main(shlex.split(line)[1:]) == 0, (line, capfd.readouterr().err)
    written = {path.name for path in tmp_path.iterdir()}
    assert {"results", "day.d24fad", "report"} <= written
