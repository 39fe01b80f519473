"""Opening folders of any mix, and the promise that no identity or path gets out."""

from __future__ import annotations

import logging
import os
import socket
import warnings
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from napari_d24fad.errors import Cancelled, Code, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.study import open_study
from tests.posix import needs_permissions, needs_sockets
from tests.studies import phantom

MARKER = "Zyxwvut"


def refused(path: Path, code: Code) -> StudyError:
    with pytest.raises(StudyError) as caught:
        open_study(path)
    assert caught.value.code is code
    return caught.value


def test_a_folder_of_any_mix(tmp_path: Path) -> None:
    phantom.write_series(tmp_path / "IMAGES" / "A", phantom.slice_datasets(), name="IM{:03d}".format)
    ct = phantom.slice_datasets(modality="CT")
    for dataset in ct:
        dataset.SeriesNumber = 9
    phantom.write_series(tmp_path / "IMAGES" / "B", ct, name="{}.IMA".format)
    phantom.write_nifti(tmp_path / "volume.nii.gz", np.eye(3))
    Image.fromarray(np.arange(99, dtype=np.uint8).reshape(9, 11)).save(tmp_path / "photo.PNG")
    (tmp_path / "README.txt").write_text("read me")
    (tmp_path / "IMAGES" / "A" / "notes.dcm").write_text("not DICOM")
    (tmp_path / "empty").touch()
    (tmp_path / ".DS_Store").write_text("hidden")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    seen: list[float] = []
    study = open_study(tmp_path, progress=lambda fraction, step: seen.append(fraction))
    assert [(one.kind, one.modality, one.n_files) for one in study.series] == [
        ("DICOM", "MR", 5),
        ("DICOM", "CT", 5),
        ("NIfTI", "", 1),
    ]
    assert study.series[0].label == "MR axial 5 x 6 x 7, 4.0 x 1.5 x 0.8 mm"
    (problem,) = study.problems
    assert problem.code is Code.FILE_SKIPPED
    assert problem.detail == (
        "4 files: 2 x a file of no known format, 1 x a text file, 1 x a picture beside DICOM files."
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1
    for series in study.series:
        series.load()


def test_places_without_images(tmp_path: Path) -> None:
    refused(tmp_path / "absent", Code.PATH_MISSING)
    refused(tmp_path, Code.NO_IMAGES)
    (tmp_path / "text.dcm").write_text("not an image\n" * 99)
    assert "1 file: It is not a DICOM file." in refused(tmp_path, Code.NO_IMAGES).detail
    refused(tmp_path / "text.dcm", Code.NOT_AN_IMAGE)
    (tmp_path / "empty.dcm").touch()
    refused(tmp_path / "empty.dcm", Code.NOT_AN_IMAGE)


@needs_permissions
def test_places_without_permission(tmp_path: Path) -> None:
    path = phantom.save(phantom.slice_datasets()[0], tmp_path / "closed" / "a.dcm")
    path.chmod(0)
    refused(path, Code.PATH_UNREADABLE)
    path.parent.chmod(0)
    refused(path.parent, Code.PATH_UNREADABLE)
    path.parent.chmod(0o700)


@needs_sockets
def test_a_socket_is_no_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.dcm")
        refused(tmp_path / "s.dcm", Code.PATH_UNREADABLE)


def test_one_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    phantom.write_series(tmp_path, phantom.slice_datasets())
    (tmp_path / "broken.nii").write_bytes((348).to_bytes(4, "little"))
    study = open_study(tmp_path)
    assert len(study.series) == 1
    assert [problem.code for problem in study.problems] == [Code.TRUNCATED]


def test_cancel_stops_the_search(tmp_path: Path) -> None:
    phantom.write_series(tmp_path, phantom.slice_datasets())
    cancel = CancelToken()
    seen: list[float] = []

    def stop(fraction: float, step: str) -> None:
        seen.append(fraction)
        cancel.cancel()

    with pytest.raises(Cancelled):
        open_study(tmp_path, progress=stop, cancel=cancel)
    assert len(seen) == 1


def _planted(folder: Path) -> list[Path]:
    """Files whose headers, names and folders carry the marker, whole and spoilt."""
    good = phantom.slice_datasets()
    for dataset in good:
        dataset.PatientName = dataset.PatientID = dataset.PatientComments = MARKER
        dataset.InstitutionName = dataset.ReferringPhysicianName = MARKER
        # Wrong on purpose: pydicom quotes such values in its warnings.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset.add_new("PatientBirthDate", "DA", MARKER)
            dataset.add_new("PatientAge", "AS", MARKER)
    phantom.write_series(folder / "whole", good, name=(MARKER + "{}.dcm").format)
    phantom.write_series(folder / "gap", good[:2] + good[3:], name=(MARKER + "{}.dcm").format)
    cut = phantom.write_series(folder / "cut", good, name=(MARKER + "{}.dcm").format)
    cut[2].write_bytes(cut[2].read_bytes()[:-9])
    enhanced = phantom.enhanced_dataset()
    enhanced.PatientName = enhanced.PatientID = MARKER
    spoilt = phantom.save(enhanced, folder / "frames" / f"{MARKER}.dcm")
    spoilt.write_bytes(spoilt.read_bytes()[:-9])
    no_syntax = phantom.slice_datasets()[0]
    no_syntax.PatientName = MARKER
    path = phantom.save(no_syntax, folder / "syntax" / f"{MARKER}.dcm")
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", MARKER.encode().ljust(20, b"\0")))
    bad_number = phantom.save(good[0], folder / "number" / f"{MARKER}.dcm")
    bad_number.write_bytes(bad_number.read_bytes().replace(b"-31.5\\22.25\\-140", MARKER.encode().ljust(16)))
    volume = folder / "nifti" / f"{MARKER}.nii"
    volume.parent.mkdir()
    image = nibabel.Nifti1Image(np.arange(60, dtype=np.float32).reshape(3, 4, 5), np.eye(4))
    image.header["descrip"] = image.header["db_name"] = MARKER.encode()
    nibabel.save(image, volume)
    nibabel.save(image, folder / "nifti" / f"{MARKER}.nii.gz")
    short = folder / "nifti" / f"{MARKER}2.nii.gz"
    short.write_bytes((folder / "nifti" / f"{MARKER}.nii.gz").read_bytes()[:-30])
    picture = folder / "pictures" / f"{MARKER}.png"
    picture.parent.mkdir()
    Image.fromarray(np.arange(99, dtype=np.uint8).reshape(9, 11)).save(picture)
    (folder / "pictures" / f"{MARKER}2.png").write_bytes(picture.read_bytes()[:-30])
    (folder / "pictures" / f"{MARKER}.tif").write_text(MARKER)
    return [folder, *(path for path in folder.rglob("*"))]


def test_no_identity_or_path_gets_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    places = _planted(tmp_path / MARKER)
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    errors: list[BaseException] = []

    def listen(fraction: float, step: str) -> None:
        said.append(step)

    for place in places:
        try:
            study = open_study(place, progress=listen)
            said += map(str, study.problems)
            for series in study.series:
                said += [series.label, series.identity.description, repr(series), *map(str, series.problems)]
                try:
                    series.thumbnail()
                    scan = series.load(listen)
                    said += [repr(scan), *map(str, scan.problems)]
                except StudyError as error:
                    errors.append(error)
        except StudyError as error:
            errors.append(error)
    assert {Code.TRUNCATED, Code.MISSING_SLICE, Code.NOT_AN_IMAGE, Code.UNSUPPORTED_PIXELS} <= {
        error.code for error in errors if isinstance(error, StudyError)
    }
    assert all(error.__suppress_context__ or error.__context__ is None for error in errors)
    screen = capfd.readouterr()
    everything = [*said, *map(str, errors), screen.out, screen.err, caplog.text]
    assert [text for text in everything if MARKER in text or str(tmp_path) in text] == []
