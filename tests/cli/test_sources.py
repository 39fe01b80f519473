"""Which series and volume a command takes."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from napari_d24fad.cli.inspect import run
from napari_d24fad.cli.parser import read_arguments
from napari_d24fad.cli.sources import open_queries, open_references
from napari_d24fad.errors import ArgumentError, Code, StudyError
from napari_d24fad.studies.series import Series
from tests.studies.test_volumes import four_dimensional, weighted


def test_a_volume_is_named_by_its_number(tmp_path: Path) -> None:
    weighted(tmp_path, [0, 1000, 2000])
    weighted(tmp_path, [0], series_number=2)
    (query,) = open_queries([tmp_path], 1, 3)
    assert isinstance(query.found, Series)
    assert query.found.identity.description.endswith("b 2000")
    (query,) = open_queries([tmp_path], 1)
    assert isinstance(query.found, StudyError)
    assert query.found.code is Code.SEVERAL_SERIES
    assert "3 volumes: b = 0, 1000, 2000; name one with --volume" in query.found.detail
    (query,) = open_queries([tmp_path], None)
    assert isinstance(query.found, StudyError)
    assert "3 volumes: b = 0, 1000, 2000; 2 MR axial" in query.found.detail
    with pytest.raises(ArgumentError):
        open_queries([tmp_path], 1, 4)


def test_references_that_have_several_volumes_need_a_number_too(tmp_path: Path) -> None:
    several, one = four_dimensional(tmp_path / "v.nii", 3), four_dimensional(tmp_path / "w.nii", 1)
    with pytest.raises(StudyError) as caught:
        open_references([one, several])
    assert caught.value.code is Code.SEVERAL_SERIES
    references, _ = open_references([one, several], 2)
    assert [series.variant for series in references] == ["0", "1"]


def test_a_series_of_several_volumes_in_a_folder_of_references_is_left_out(tmp_path: Path) -> None:
    four_dimensional(tmp_path / "v.nii", 3)
    four_dimensional(tmp_path / "w.nii", 1)
    references, problems = open_references([tmp_path])
    assert len(references) == 1
    assert problems[0].code is Code.SEVERAL_SERIES
    assert problems[0].detail == (
        "It holds 3 volumes; name one with --volume. A series of reference path 1 was left out."
    )
    with pytest.raises(ArgumentError):
        open_references([tmp_path / "v.nii"], 4)


def test_inspect_tells_once_why_volumes_cannot_be_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weighted(tmp_path, [0, 1000, 2000])
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        if pydicom.dcmread(path).InstanceNumber in (2, 10):  # the second slices of volumes 1 and 3
            path.unlink()
    run(read_arguments(["inspect", str(tmp_path)]))
    told = capsys.readouterr().out
    assert told.count("S06") == 1
    assert "volumes 1, 3 cannot be loaded, S06" in " ".join(told.split())


def test_detect_and_inspect_tell_of_volumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weighted(tmp_path, [0, 1000])
    run(read_arguments(["inspect", str(tmp_path)]))
    printed = capsys.readouterr().out
    assert "2 volumes: b = 0, 1000" in printed
    assert "Series 1: 1: b 0; 2: b 1000" in printed
    assert read_arguments(["detect", "q", "--series", "1", "--volume", "2"]).volume == 2
