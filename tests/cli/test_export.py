"""``d24fad export``: DICOM objects of a session, and of results whose series is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_d24fad import cli
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.saved.case import Case
from napari_d24fad.session.saved.session_file import save_session
from napari_d24fad.session.saving import save
from napari_d24fad.settings import CACHE_VARIABLE
from napari_d24fad.studies.study import open_study
from tests.heads import AFFINE, GRID, anomaly_of
from tests.studies import phantom


def make_case(folder: Path) -> Case:
    """A DICOM series on the grid of the made-up heads, with their result."""
    spacing = tuple(np.linalg.norm(AFFINE[:3, :3], axis=0))
    for name in ("query", "normal"):
        origin = (len(name), 22.25, -140.0)  # what the phantom shows depends on its place
        datasets = phantom.slice_datasets(
            grid=GRID, spacing=spacing, origin=origin, series_uid=f"2.25.{len(name)}"
        )
        for each in datasets:
            each.StudyInstanceUID, each.PatientID = f"2.25.7{len(name)}", name
        phantom.write_series(folder / name, datasets)
    query, normal = (open_study(folder / name).series[0] for name in ("query", "normal"))
    scan = query.load()
    anomaly = replace(anomaly_of(scan), affine=np.asarray(scan.affine))
    return Case.of(Examination(Request(query, (normal,) * 3, "compact", "cpu"), scan, anomaly, (1.5, 3.0)))


def test_a_session_is_exported_to_the_study_of_its_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    save_session([make_case(tmp_path / "scans")], tmp_path / "day.d24fad")
    out = tmp_path / "out"
    command = ["export", str(tmp_path / "day.d24fad"), "--out", str(out)]
    assert cli.main([*command, "--dicom", "seg,pm,sr,sc", "--json"]) == 0
    told = capsys.readouterr()
    assert str(tmp_path) not in told.out + told.err
    files = json.loads(told.out)["files"]
    assert (
        {path.name for path in out.iterdir()} == set(files) >= {"segmentation.dcm", "map.dcm", "report.dcm"}
    )
    for name in files:
        assert pydicom.dcmread(out / name).PatientID == "query"
    assert cli.main(command) == 6
    assert "X05" in capsys.readouterr().err
    assert cli.main([*command, "--dicom", "seg,pdf"]) == 2
    assert "labelmap" in capsys.readouterr().err
    unnamed = ["--out", str(tmp_path / "unnamed"), "--dicom", "seg", "--de-identify"]
    assert cli.main(["export", str(tmp_path / "day.d24fad"), *unnamed]) == 0
    assert "name nobody" in capsys.readouterr().out
    assert pydicom.dcmread(tmp_path / "unnamed" / "segmentation.dcm").PatientID.startswith("ANON-")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "another user"))
    assert cli.main([*command, "--replace"]) == 9
    assert "--open-scans" in capsys.readouterr().err


def test_results_are_exported_with_the_series_they_were_made_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = make_case(tmp_path / "scans")
    assert case.examination is not None
    save(case.examination, tmp_path / "results")
    command = ["export", str(tmp_path / "results"), "--dicom", "seg", "--out", str(tmp_path / "out")]
    assert cli.main(command) == 6
    assert "--source" in capsys.readouterr().err
    assert cli.main([*command, "--source", str(tmp_path / "scans")]) == 0
    assert "Written: segmentation.dcm" in capsys.readouterr().out
    written = pydicom.dcmread(tmp_path / "out" / "segmentation.dcm")
    assert written.StudyInstanceUID == "2.25.75"
    # The same grid, other pixels.
    shutil.rmtree(tmp_path / "scans" / "query")
    assert cli.main([*command, "--replace", "--source", str(tmp_path / "scans")]) == 6
    assert "X13" in capsys.readouterr().err
