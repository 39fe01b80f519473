"""Results of before sessions: the map beside its report comes back as a case."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_d24fad import cli
from napari_d24fad.errors import Code, D24fadError
from napari_d24fad.export.report import ReportEntry
from napari_d24fad.export.results import save_results
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.findings.words import scan_words, score_words
from napari_d24fad.session.saved.old_results import read_results
from napari_d24fad.session.saved.session_file import read_session, save_session
from napari_d24fad.session.saving import save
from tests.export.maps import make_map, make_scan
from tests.session.saved.cases import make_case


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    examination = make_case(folder / "scans").examination
    assert examination is not None
    save(examination, folder / "out")
    return folder


def test_a_result_comes_back_with_its_map_levels_and_findings(written: Path, tmp_path: Path) -> None:
    known = make_case(tmp_path / "scans").examination
    assert known is not None
    before = known.anomaly
    (case,) = read_results(written / "out")
    assert case.examination is not None
    after = case.examination.anomaly
    for name in ("values", "slice_scores", "weights", "reference_scores", "reference_slice_scores"):
        assert np.array_equal(getattr(after, name), getattr(before, name), equal_nan=True), name
    assert np.array_equal(after.affine, before.affine)
    left_out = {"channels": (), "calibration": None, "examples": None, "beside": before.beside}
    for name in ("score", "p_value", "level_one_region", "regions", "warnings", "levels_by_rate", "region"):
        assert getattr(after, name) == getattr(replace(before, **left_out), name), name
    first, _ = case.findings
    assert (first.side, first.slice_index, first.region) == ("left", 3, before.regions[0])
    assert first.mask is not None
    assert score_words(first, after) == "larger than in all 3 normal scans"
    assert scan_words(after) == scan_words(before)
    assert case.request.references[1].label.startswith("Reference 2: NIfTI axial")
    with pytest.raises(D24fadError, match="R06"):
        case.request.query.load()
    # From here on it is a case as any other.
    judged = replace(case, findings=case.findings.judge(1, Verdict.ACCEPTED))
    save_session([judged], tmp_path / "day")
    assert read_session(tmp_path / "day").cases[0].findings.finding(1).verdict is Verdict.ACCEPTED


def test_an_image_comes_back_too(tmp_path: Path) -> None:
    scan = make_scan(np.arange(600.0).reshape(1, 20, 30), modality="")
    values = np.linspace(0, 2, 600, dtype=np.float32).reshape(1, 20, 30)
    entry = ReportEntry(scan, "image", make_map(values), ("one", "two"))
    save_results(tmp_path, [entry], names=["image"])
    (case,) = read_results(tmp_path)
    assert case.examination is not None
    assert np.array_equal(case.examination.anomaly.values, values)
    assert case.request.query.label == "image"


def test_the_command_reports_results_of_before(written: Path, tmp_path: Path, capsys: Any) -> None:
    assert cli.main(["report", str(written / "out"), "--out", str(tmp_path / "report")]) == 0
    assert "R06" in capsys.readouterr().err
    (case,) = json.loads((tmp_path / "report" / "findings.json").read_text(encoding="utf-8"))["cases"]
    assert case["findings"][0]["side"] == "left"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda r: r.update(schema="d24fad-report/9"), Code.SESSION_NEWER),
        (lambda r: r.update(schema="d24fad-report/2"), Code.SESSION_BROKEN),
        (lambda r: r.update(schema="other/3"), Code.SESSION_BROKEN),
        (lambda r: r["results"][0].update(files=["../out/anomaly.nii.gz"]), Code.SESSION_BROKEN),
        (lambda r: r["results"][0].update(files=["other.nii.gz"]), Code.PATH_MISSING),
        (lambda r: r["results"][0]["query"].update(grid=[10, 40, 35]), Code.SESSION_BROKEN),
        (lambda r: r["results"][0].update(weights=[]), Code.SESSION_BROKEN),
        (lambda r: r["results"][0]["regions"][0].update(peak_index=[0, 0, 99]), Code.SESSION_BROKEN),
        (lambda r: r.pop("results"), Code.SESSION_BROKEN),
    ],
)
def test_a_report_that_makes_no_sense_is_refused(
    written: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], code: Code
) -> None:
    shutil.copytree(written / "out", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    change(report)
    (tmp_path / "out" / "report.json").write_text(json.dumps(report))
    with pytest.raises(D24fadError) as refused:
        read_results(tmp_path / "out")
    assert refused.value.code is code


def test_a_folder_without_a_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(D24fadError, match="S01"):
        read_results(tmp_path)
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(D24fadError, match="R01"):
        read_results(tmp_path)
