"""What is exported of plain images, and what is refused: nothing replaced, nothing half written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_d24fad.errors import Code, ExportError, StudyError
from napari_d24fad.export.dicom.kinds import KINDS
from napari_d24fad.export.dicom.writing import save_dicom
from napari_d24fad.export.pages.entry import CaseEntry
from napari_d24fad.export.report import ReportEntry
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.findings.findings import Findings
from napari_d24fad.findings.making import by_hand
from napari_d24fad.studies.series import Series
from tests.export.dicom.cases import GRID, case, opened
from tests.export.maps import make_map
from tests.studies import phantom

ALL = tuple(KINDS)


def test_a_plain_image_keeps_its_grid(tmp_path: Path) -> None:
    pixels = np.add.outer(np.arange(60), np.arange(50)).astype(np.uint16)
    film = phantom.image_dataset(pixels, sop_class="1.2.840.10008.5.1.4.1.1.1.1", modality="DX")
    phantom.save(film, tmp_path / "source" / "film.dcm")
    series = opened(tmp_path / "source")
    entry = _plain_case(series)
    written = save_dicom(tmp_path / "out", entry, series, ALL)
    assert "contact_sheet.dcm" not in written.names
    # highdicom cannot make one.
    assert "map.dcm" not in written.names
    (said,) = written.left_out
    assert "where in the patient" in said
    segments = pydicom.dcmread(tmp_path / "out" / "segmentation.dcm")
    finding = entry.findings.finding(1)
    assert finding.mask is not None
    assert segments.pixel_array.sum() == finding.mask.voxels.sum()
    assert (segments.pixel_array == finding.mask.slice(0, 0, series.grid)).all()
    assert "ImagePositionPatient" not in pydicom.dcmread(tmp_path / "out" / "key_slice_01.dcm")


def _plain_case(series: Series) -> CaseEntry:
    scan = series.load()
    values = np.zeros(scan.grid, np.float32)
    values[0, 20:30, 10:25] = 3
    anomaly = make_map(values)
    finding = by_hand(scan, values > 1, anomaly)
    return CaseEntry(ReportEntry(scan, "DX", anomaly, ("Reference 1",)), Findings().add(finding))


def test_what_is_no_dicom_or_lacks_its_place_is_refused(tmp_path: Path) -> None:
    phantom.write_nifti(tmp_path / "scan.nii.gz", np.eye(3), grid=(20, 24, 6))
    series = opened(tmp_path / "scan.nii.gz")
    with pytest.raises(ExportError) as refused:
        save_dicom(tmp_path / "out", case(series), series)
    assert refused.value.code is Code.NO_DICOM_SOURCE
    datasets = phantom.slice_datasets(grid=GRID)
    for each in datasets:
        del each.FrameOfReferenceUID
    phantom.write_series(tmp_path / "source", datasets)
    series = opened(tmp_path / "source")
    with pytest.raises(ExportError) as refused:
        save_dicom(tmp_path / "out", case(series), series, ["seg", "pm", "sr"])
    assert refused.value.code is Code.NOTHING_TO_EXPORT
    assert "frame of reference" in str(refused.value)
    assert not (tmp_path / "out").exists()
    assert "key_slice_01.dcm" in save_dicom(tmp_path / "out", case(series), series).names
    assert "ImagePositionPatient" not in pydicom.dcmread(tmp_path / "out" / "key_slice_01.dcm")


def test_what_lacks_its_study_is_refused(tmp_path: Path) -> None:
    pixels = np.add.outer(np.arange(60), np.arange(50)).astype(np.uint16)
    film = phantom.image_dataset(pixels)
    del film.StudyInstanceUID
    phantom.save(film, tmp_path / "source" / "film.dcm")
    series = opened(tmp_path / "source")
    with pytest.raises(ExportError) as refused:
        save_dicom(tmp_path / "out", _plain_case(series), series)
    assert refused.value.code is Code.SOURCE_INCOMPLETE
    assert "StudyInstanceUID" in str(refused.value)


def test_nothing_is_replaced_unasked_and_nothing_is_written_of_files_that_changed(tmp_path: Path) -> None:
    paths = phantom.write_series(tmp_path / "source", phantom.slice_datasets(grid=GRID))
    series = opened(tmp_path / "source")
    entry = case(series)
    before = save_dicom(tmp_path / "out", entry, series, ["seg"])
    assert before.names == ("segmentation.dcm",)
    with pytest.raises(ExportError) as refused:
        save_dicom(tmp_path / "out", entry, series, ["seg"])
    assert refused.value.code is Code.FILE_IS_THERE
    kept = pydicom.dcmread(tmp_path / "out" / "segmentation.dcm")
    assert save_dicom(tmp_path / "out", entry, series, ["seg"], may_replace=True) == before
    renewed = pydicom.dcmread(tmp_path / "out" / "segmentation.dcm")
    assert renewed.SOPInstanceUID != kept.SOPInstanceUID
    assert renewed.SegmentSequence[0].TrackingUID == kept.SegmentSequence[0].TrackingUID
    phantom.save(phantom.slice_datasets(grid=GRID)[0], paths[2])
    with pytest.raises(StudyError):
        save_dicom(tmp_path / "out", entry, series, ["seg"], may_replace=True)


def test_without_a_finding_there_is_the_map_alone(tmp_path: Path) -> None:
    phantom.write_series(tmp_path / "source", phantom.slice_datasets(grid=GRID))
    series = opened(tmp_path / "source")
    entry = replace(case(series), findings=Findings())
    written = save_dicom(tmp_path / "out", entry, series, ["seg", "sr", "pm"])
    assert written.names == ("map.dcm",)
    assert written.left_out == ("There is no finding for a segmentation or a structured report.",)
    with pytest.raises(ExportError) as refused:
        save_dicom(tmp_path / "other", entry, series, ["seg", "sr"])
    assert refused.value.code is Code.NOTHING_TO_EXPORT


def test_overlapping_findings_make_no_label_map(tmp_path: Path) -> None:
    phantom.write_series(tmp_path / "source", phantom.slice_datasets(grid=GRID))
    series = opened(tmp_path / "source")
    entry = case(series)
    both = replace(entry, findings=entry.findings.judge(3, Verdict.ACCEPTED))
    with pytest.raises(ExportError) as refused:
        save_dicom(tmp_path / "out", both, series, ["labelmap"])
    assert refused.value.code is Code.FINDINGS_OVERLAP
    save_dicom(tmp_path / "out", both, series, ["seg"])
    assert len(pydicom.dcmread(tmp_path / "out" / "segmentation.dcm").SegmentSequence) == 3
