"""A scan and its results without identity: nothing of it is left, and all fits together."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.dicom.anonymous import save_deidentified
from napari_d24fad.studies.scan import Problem
from napari_d24fad.studies.study import open_study
from tests.export.dicom.cases import case, opened
from tests.export.dicom.test_deidentify import planted
from tests.studies import phantom


def test_scan_and_results_lose_identity_together(tmp_path: Path) -> None:
    datasets, marks = planted()
    phantom.write_series(tmp_path / "source", datasets)
    series = opened(tmp_path / "source")
    entry = case(series)
    out = tmp_path / "out"
    written = save_deidentified(out, entry, series, uid_map=tmp_path / "uids.csv")
    assert {path.name for path in out.iterdir()} == set(written.names)
    for path in out.iterdir():
        content = path.read_bytes()
        assert [mark for mark in (*marks, "Hämorrhagie".encode()) if mark in content] == [], path.name
    (copy,) = (each for each in open_study(out).series if each.grid == series.grid and each.modality == "MR")
    np.testing.assert_array_equal(copy.load().voxels, entry.found.scan.voxels)
    images = {pydicom.dcmread(path).SOPInstanceUID for path in out.glob("image_*.dcm")}
    for name in ("segmentation.dcm", "map.dcm"):
        named = pydicom.dcmread(out / name).ReferencedSeriesSequence[0].ReferencedInstanceSequence
        assert {each.ReferencedSOPInstanceUID for each in named} == images
    with (tmp_path / "uids.csv").open(newline="") as file:
        back = {row["old"]: row["new"] for row in csv.DictReader(file)}
    assert back[str(datasets[0].StudyInstanceUID)] == pydicom.dcmread(out / "map.dcm").StudyInstanceUID


def test_pixels_that_may_name_somebody_are_asked_about(tmp_path: Path) -> None:
    phantom.write_series(tmp_path / "source", phantom.slice_datasets(grid=(6, 24, 20)))
    series = opened(tmp_path / "source")
    entry = case(series)
    scan = replace(entry.found.scan, problems=(Problem(Code.BURNED_IN),))
    entry = replace(entry, found=replace(entry.found, scan=scan))
    with pytest.raises(ExportError) as refused:
        save_deidentified(tmp_path / "out", entry, series, ["seg"])
    assert refused.value.code is Code.MAY_SHOW_IDENTITY
    assert not (tmp_path / "out").exists()
    agreed = save_deidentified(tmp_path / "out", entry, series, ["seg"], burned_in_accepted=True)
    assert "segmentation.dcm" in agreed.names


def test_copies_that_are_read_otherwise_are_refused(tmp_path: Path) -> None:
    phantom.write_series(tmp_path / "source", phantom.slice_datasets(grid=(6, 24, 20)))
    series = opened(tmp_path / "source")
    entry = case(series)
    scan = replace(entry.found.scan, affine=np.asarray(entry.found.scan.affine) + np.eye(4) * [0, 0, 0.5, 0])
    with pytest.raises(ExportError) as refused:
        save_deidentified(tmp_path / "out", replace(entry, found=replace(entry.found, scan=scan)), series)
    assert refused.value.code is Code.DEIDENTIFIED_DIFFERS
    assert not (tmp_path / "out").exists()
