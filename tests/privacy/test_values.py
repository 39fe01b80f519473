"""What a debugger, a log or a traceback shows of our values and errors."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_d24fad.atomic import atomic_file, atomic_folder, check_writable
from napari_d24fad.cli.sources import open_queries, open_references
from napari_d24fad.detection.references.pairing import check_pairing
from napari_d24fad.errors import D24fadError
from napari_d24fad.network.checkpoint import load_model
from napari_d24fad.session.request import Request
from napari_d24fad.studies.dicom.header import read_instance
from napari_d24fad.studies.study import open_study
from napari_d24fad.trace import safe_trace
from tests.privacy.marked import MARK, found_in, write_dicom, write_nifti, write_picture


def write_to(path: Path) -> None:
    with atomic_file(path) as staged:
        staged.write_text("x")


def write_into(path: Path) -> None:
    with atomic_folder(path) as new:
        (new / "x").write_text("x")


def test_values_do_not_say_whose_they_are(tmp_path: Path) -> None:
    dicom = write_dicom(tmp_path, 0)
    for place in (
        dicom,
        write_nifti(tmp_path, 0),
        write_picture(tmp_path, 0),
        write_picture(tmp_path, 1, ".tiff"),
    ):
        study = open_study(place)
        scan = study.series[0].load()
        found = (study, *study.series, study.series[0].identity, study.series[0].label, scan, scan.identity)
        series, _ = open_references([place])
        sources = open_queries([place, tmp_path / MARK], None, show_identity=True), series
        request = Request(series[0], series, tmp_path / MARK, "cpu")
        for value in (*found, *sources, request, *scan.problems):
            assert found_in(f"{value} {value!r}") == [], type(value)
    instance = read_instance(next(dicom.iterdir()))
    assert found_in(f"{instance} {instance!r}") == []
    assert instance.identity.description == "T1"


@pytest.mark.parametrize(
    ("fail", "code"),
    [
        (lambda folder: open_study(folder / MARK / "none"), "S01"),
        (lambda folder: open_study(folder / "empty"), "S03"),
        (lambda folder: open_study(folder / f"{MARK}.dcm"), "S05"),
        (lambda folder: open_study(folder / f"{MARK}.nii"), "S05"),
        (lambda folder: open_study(folder / f"{MARK}.png"), "S05"),
        (lambda folder: write_to(folder / f"{MARK}.png" / f"{MARK}.json"), "X01"),
        (lambda folder: write_into(folder / f"{MARK}.png" / MARK), "X01"),
        (lambda folder: check_writable(folder / f"{MARK}.png" / MARK), "X01"),
        (lambda folder: load_model(folder / f"{MARK}.safetensors"), "M01"),
        (lambda folder: load_model(folder / f"{MARK}.png"), "M02"),
        (lambda folder: check_pairing(*_twice(folder)), "P02"),
    ],
)
def test_errors_do_not_say_whose_the_study_is(
    tmp_path: Path, fail: Callable[[Path], None], code: str
) -> None:
    folder = tmp_path / MARK
    (folder / "empty").mkdir(parents=True)
    dicom = next(write_dicom(tmp_path, 0).iterdir()).read_bytes()
    (folder / f"{MARK}.dcm").write_bytes(dicom[:3000])
    (folder / f"{MARK}.nii").write_bytes(b"\x5c\1\0\0" + MARK.encode() * 40)
    (folder / f"{MARK}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + MARK.encode())
    with pytest.raises(D24fadError) as caught:
        fail(folder)
    error = caught.value
    assert error.code.code == code
    # The lines of code of this module hold no mark: its name stands in another.
    logged = "".join(traceback.format_exception(error))
    for text in (str(error), repr(error), error.args, safe_trace(error), logged):
        assert found_in(text) == []


def _twice(folder: Path) -> tuple[object, list[object]]:
    scans = [open_study(write_dicom(folder, seed)).series[0].load() for seed in (0, 1)]
    return scans[0], scans


def test_a_trace_tells_where_and_never_what() -> None:
    def first() -> None:
        raise ValueError(said)

    def second() -> None:
        try:
            first()
        except ValueError as error:
            raise KeyError(said) from error

    said = MARK
    with pytest.raises(KeyError) as caught:
        second()
    told = safe_trace(caught.value)
    assert found_in(told) == []
    earlier, later = told.split("\n\n")
    assert "in first" in earlier
    assert earlier.endswith("\nValueError")
    assert later.endswith("\nKeyError")
