"""The Python interface: light to import, and the lines of the README do what they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import napari_d24fad as d24
from tests.cli.conftest import environment
from tests.heads import write_study

README = Path(__file__).resolve().parents[1] / "README.md"


def lines_of_readme() -> str:
    section = README.read_text(encoding="utf-8").partition("## From Python\n")[2].partition("\n## ")[0]
    return textwrap.dedent("\n".join(re.findall(r"^(    .*|)$", section, re.MULTILINE)))


def test_the_lines_of_the_readme_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_study(tmp_path / "study", slices=slice(2, 8))
    monkeypatch.chdir(tmp_path)
    lines = lines_of_readme()
    assert sum(bool(line.strip()) for line in lines.splitlines()) == 10
    names: dict[str, object] = {}
    exec(compile(lines, "README.md", "exec"), names)
    examination = names["examination"]
    assert isinstance(examination, d24.Examination)
    anomaly = examination.anomaly
    assert anomaly.values.shape == examination.scan.grid == (6, 40, 36)
    assert np.isfinite(anomaly.values).any()
    first = capsys.readouterr().out.splitlines()[0].split()
    assert [float(word) for word in first[:2]] == [anomaly.score, anomaly.p_value]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"anomaly.nii.gz", "overlay.png", "report.json"}
    (result,) = json.loads((tmp_path / "out" / "report.json").read_text())["results"]
    assert len(result["regions"]) == len(anomaly.regions)
    assert result["references"][0]["label"].startswith("Reference 1: NIfTI")


def test_importing_it_is_light_and_so_is_all_that_is_in_it() -> None:
    script = """
import sys
import napari_d24fad as d24
assert {"numpy", "pydicom"}.isdisjoint(sys.modules), "the package itself"
for name in d24.__all__:
    assert getattr(d24, name) is not None, name
    assert name in dir(d24), name
d24.Session()
loaded = {"torch", "napari", "qtpy", "PyQt5", "PyQt6", "matplotlib"} & set(sys.modules)
assert not loaded, loaded
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_not_there_is_told_as_usual(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        d24.nonsense  # noqa: B018 - it is looked up
    with pytest.raises(d24.D24fadError, match="S01"):
        d24.open_study(tmp_path / "nowhere")
