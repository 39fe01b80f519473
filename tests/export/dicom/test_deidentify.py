"""Nothing planted is left in copies, wherever it was; pixels, places and references are as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from napari_d24fad.export.dicom.deidentify import Deidentifier
from tests.export.dicom.cases import GRID, opened
from tests.studies import phantom

MARK = "Mark{:02d}x"
TEXTS = (
    "PatientName",
    "PatientID",
    "OtherPatientNames",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "PatientComments",
    "MedicalRecordLocator",
    "AccessionNumber",
    "StudyID",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "OperatorsName",
    "StationName",
    "DeviceSerialNumber",
    "ImageComments",
    "RequestingPhysician",
    "AdditionalPatientHistory",
    "PerformedProcedureStepDescription",
)


def planted() -> tuple[list[Dataset], list[bytes]]:
    """Slices with marks in 30 places, and the bytes that must not be found again."""
    datasets = phantom.slice_datasets(grid=GRID)
    study = "2.25.7654321098765432109"
    marks = [MARK.format(number) for number in range(30)]
    for each in datasets:
        for mark, name in zip(marks, TEXTS, strict=False):
            setattr(each, name, mark)
        each.StudyInstanceUID, each.StudyDate, each.PatientBirthDate = study, "19970315", "19510714"
        each.StudyTime, each.PatientWeight, each.BodyPartExamined = "101112", "71.5", "HEAD"
        request, inner = Dataset(), Dataset()
        request.ScheduledProcedureStepDescription = marks[24]
        inner.PatientID = marks[25]
        request.OtherPatientIDsSequence = [inner]
        each.RequestAttributesSequence = [request]
        anatomy, code = Dataset(), Dataset()  # a sequence that stays, with a name deep inside
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "69536005", "SCT", "Head"
        code.InstitutionName = marks[26]
        anatomy.AnatomicRegionModifierSequence = [code]
        each.AnatomicRegionSequence = [anatomy]
        each.private_block(0x0011, "VENDOR", create=True).add_new(1, "LO", marks[27])
        each.add_new(0x60004000, "LT", marks[28])  # Overlay Comments
        each.preamble = marks[29].encode().ljust(128, b"\0")
        each.file_meta.SourceApplicationEntityTitle = marks[0]
        reference = Dataset()
        reference.ReferencedSOPClassUID = each.SOPClassUID
        reference.ReferencedSOPInstanceUID = datasets[0].SOPInstanceUID
        each.SourceImageSequence = [reference]
    uids = [study, *(str(each.SOPInstanceUID) for each in datasets), str(datasets[0].SeriesInstanceUID)]
    return datasets, [text.encode() for text in (*marks, *uids, "19970315", "19510714")]


def test_nothing_planted_is_left(tmp_path: Path) -> None:
    datasets, marks = planted()
    files = phantom.write_series(tmp_path / "source", datasets)
    assert all(any(mark in path.read_bytes() for path in files) for mark in marks)
    (tmp_path / "out").mkdir()
    written = Deidentifier().copy(files, tmp_path / "out")
    assert len(written) == GRID[0]
    left = [mark for mark in marks for path in written if mark in path.read_bytes()]
    assert left == []


def test_files_belong_together_as_before_and_show_the_same(tmp_path: Path) -> None:
    datasets, _ = planted()
    files = phantom.write_series(tmp_path / "source", datasets)
    (tmp_path / "out").mkdir()
    found = Deidentifier(days=-40)
    written = [pydicom.dcmread(path) for path in found.copy(files, tmp_path / "out")]
    assert len({each.PatientID for each in written}) == len({each.StudyInstanceUID for each in written}) == 1
    assert len({each.SOPInstanceUID for each in written}) == GRID[0]
    for each in written:
        assert each.SourceImageSequence[0].ReferencedSOPInstanceUID == written[0].SOPInstanceUID
        assert each.SOPInstanceUID == each.file_meta.MediaStorageSOPInstanceUID
        assert each.PatientIdentityRemoved == "YES"
    assert (written[0].StudyDate, written[0].StudyTime) == ("19970203", "101112")
    assert written[0].PatientBirthDate == "19510604"
    assert written[0].PatientWeight == 71.5
    assert found.uids["2.25.7654321098765432109"] == written[0].StudyInstanceUID
    before, after = opened(tmp_path / "source").load(), opened(tmp_path / "out").load()
    np.testing.assert_array_equal(after.voxels, before.voxels)
    np.testing.assert_array_equal(after.affine, before.affine)


def test_another_export_cannot_be_joined_to_this_one(tmp_path: Path) -> None:
    datasets, _ = planted()
    files = phantom.write_series(tmp_path / "source", datasets[:1])
    names, uids = set(), set()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (path,) = Deidentifier().copy(files, tmp_path / name)
        dataset = pydicom.dcmread(path)
        names.add(dataset.PatientID)
        uids.add(dataset.StudyInstanceUID)
    assert len(names) == len(uids) == 2
