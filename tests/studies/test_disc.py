"""A disc as a PACS writes it: DICOM files, a directory, and a viewer with pictures and pages."""

from __future__ import annotations

import zipfile
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.fileset import FileSet

from napari_d24fad.errors import Code
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.studies import listing
from napari_d24fad.studies.left_out import LeftOut
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from tests.studies import phantom
from tests.studies.corpus.build import even, positions, slices

SERIES, SLICES, ICONS = 4, 5, 30


def disc(folder: Path, *, directory: bool = False, patients: tuple[str, ...] = ("A",) * SERIES) -> Path:
    """Series 1 to 4, which lie on the disc, and are listed, the other way round, of one patient each."""
    written = FileSet() if directory else None
    for number in range(SERIES, 0, -1):
        datasets = slices(positions(even(SLICES)), series_uid=f"2.25.88{number}", modality="CT")
        for dataset in datasets:
            dataset.SeriesNumber = number
            dataset.PatientID = dataset.PatientName = patients[SERIES - number]
            dataset.StudyInstanceUID = f"2.25.99{ord(dataset.PatientID)}"
            dataset.StudyID, dataset.StudyDate, dataset.StudyTime = "1", "20200101", "120000"
            if written is not None:
                written.add(dataset)
        if written is None:
            phantom.write_series(folder / "DICOM" / f"S{SERIES - number}", datasets)
    if written is not None:
        written.write(folder)
        written._stage["t"].cleanup()  # pydicom leaves it to the garbage collector, which warns
    (folder / "AUTORUN.INF").write_text("[autorun]")
    (folder / "VIEWER").mkdir(parents=True)
    for number in range(ICONS):
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "VIEWER" / f"{number}.PNG")
    (folder / "VIEWER" / "INDEX.HTM").write_text("<html>")
    (folder / "VIEWER" / "V.EXE").write_bytes(b"MZ" + bytes(99))
    return folder


def numbers(found: tuple[Series, ...]) -> list[str]:
    return [one.identity.series_uid[-1] for one in found]


def test_only_the_scans_are_listed_and_one_line_tells_of_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[Path] = []
    monkeypatch.setattr(listing, "image_series", looked_at.append)
    study = open_study(disc(tmp_path))
    assert [one.grid[0] for one in study.series] == [SLICES] * SERIES
    assert numbers(study.series) == ["1", "2", "3", "4"]
    (problem,) = study.problems
    assert problem.detail == (
        "33 files: 30 x a picture beside DICOM files, 1 x a text file, 1 x a web page or part of one,"
        " 1 x a Windows program."
    )
    assert looked_at == []


def test_the_directory_gives_the_order(tmp_path: Path) -> None:
    study = open_study(disc(tmp_path, directory=True))
    assert numbers(study.series) == ["4", "3", "2", "1"]  # as `disc` lists them; else by Series Number
    assert [one.grid[0] for one in study.series] == [SLICES] * SERIES


def test_names_of_the_directory_that_a_system_shows_in_small_letters(tmp_path: Path) -> None:
    folder = disc(tmp_path / "disc", directory=True)
    for path in sorted(folder.rglob("*"), key=lambda each: -len(each.parts)):
        if path.name != "DICOMDIR" and path.name != path.name.lower():
            path.rename(path.with_name(path.name.lower()))
    study = open_study(folder / "DICOMDIR")
    assert [one.n_files for one in study.series] == [SLICES] * SERIES
    assert study.problems == ()


@pytest.mark.parametrize("reordered", [False, True])
def test_the_directory_names_patients_of_files_that_state_none(tmp_path: Path, reordered: bool) -> None:
    disc(tmp_path, directory=True, patients=("A", "B", "A", "B"))
    for path in (tmp_path / "PT000000", tmp_path / "PT000001"):
        for file in filter(Path.is_file, path.rglob("*")):
            dataset = pydicom.dcmread(file)
            dataset.PatientID = ""
            dataset.save_as(file)
    if reordered:  # a record may stand anywhere: offsets tell which belongs to which
        path = tmp_path / "DICOMDIR"
        directory = pydicom.dcmread(path)
        records = directory.DirectoryRecordSequence
        places = [record.seq_item_tell for record in records]
        turned = list(records)[::-1]
        sizes = dict(zip(places, [*np.diff(places), _length(directory) - places[-1]], strict=True))
        moved, at = {0: 0}, places[0]
        for record in turned:
            moved[record.seq_item_tell] = at
            at += int(sizes[record.seq_item_tell])
        for record in records:
            for name in ("OffsetOfTheNextDirectoryRecord", "OffsetOfReferencedLowerLevelDirectoryEntity"):
                setattr(record, name, moved[getattr(record, name)])
        for name in ("First", "Last"):
            keyword = f"OffsetOfThe{name}DirectoryRecordOfTheRootDirectoryEntity"
            setattr(directory, keyword, moved[getattr(directory, keyword)])
        directory.DirectoryRecordSequence = turned
        directory.save_as(path)
    study = open_study(tmp_path / "DICOMDIR")
    patients: dict[str, list[str]] = {}
    for one in study.series:
        assert len(one.identity.patient_key) == 64
        patients.setdefault(one.identity.patient_key, []).extend(numbers((one,)))
    assert sorted(map(sorted, patients.values())) == [["1", "3"], ["2", "4"]]


def _length(directory: pydicom.Dataset) -> int:
    """Where the last record ends: the sequence is the last element of the file."""
    return Path(directory.filename).stat().st_size


def test_a_disc_in_an_archive_is_in_the_order_of_its_directory_too(tmp_path: Path) -> None:
    folder = disc(tmp_path / "disc", directory=True, patients=("A", "B", "A", "B"))
    with zipfile.ZipFile(tmp_path / "disc.zip", "w") as archive:
        for file in filter(Path.is_file, folder.rglob("*")):
            archive.write(file, f"Doe Jane/{file.relative_to(folder).as_posix().lower()}")
    study = open_study(tmp_path / "disc.zip")
    assert numbers(study.series) == ["4", "2", "3", "1"]
    assert [one.n_files for one in study.series] == [SLICES] * SERIES
    (problem,) = study.problems
    assert problem.code is Code.FILE_SKIPPED
    assert problem.detail.startswith("33 files: 30 x a picture beside DICOM files")


def test_each_file_is_read_once_and_the_first_series_is_told_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    read_one = listing.read_instance

    def counting(path: Path) -> object:
        read.append(path)
        return read_one(path)

    monkeypatch.setattr(listing, "read_instance", counting)
    monkeypatch.setattr(listing, "_EARLY_S", 0)
    told: list[tuple[tuple[Series, ...], int]] = []
    files = sorted(path for path in disc(tmp_path).rglob("*") if path.is_file())
    found = listing.find_series(
        files, LeftOut(), silent, CancelToken(), lambda series: told.append((series, len(read)))
    )
    assert len(read) == len(set(read)) == SERIES * SLICES + 3
    assert len(found) == SERIES
    ((early, files_read),) = told
    assert [one.grid[0] for one in early] == [SLICES]
    assert files_read <= SLICES + 3 < len(read)
    assert early[0].files == next(one for one in found if numbers((one,)) == numbers(early)).files


@pytest.mark.parametrize(("a_file_takes", "told_early"), [(0.001, 0), (0.1, 1)])
def test_of_what_is_found_in_a_moment_nothing_is_told_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, a_file_takes: float, told_early: int
) -> None:
    clock = count(0.0, a_file_takes)
    monkeypatch.setattr(listing, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    told: list[object] = []
    open_study(disc(tmp_path), early=told.append)
    assert len(told) == told_early
