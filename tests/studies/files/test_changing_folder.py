"""A folder that changes while it is read: what is gone is named, and nothing else is read instead."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.study import open_study
from tests.studies import phantom
from tests.studies.corpus.build import even, positions, slices


def _replaced_by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _larger(path: Path) -> None:
    dataset = slices(positions(even(1)), shape=(40, 40))[0]
    phantom.save(dataset, path)


CHANGES: dict[str, tuple[Callable[[Path], object], Code]] = {
    "gone": (Path.unlink, Code.PATH_MISSING),
    "cut": (_cut, Code.TRUNCATED),
    "empty": (lambda path: path.write_bytes(b""), Code.TRUNCATED),
    "another image": (_larger, Code.PATH_MISSING),
}
if hasattr(os, "mkfifo"):
    CHANGES["a pipe"] = (_replaced_by_a_pipe, Code.PATH_UNREADABLE)


@pytest.mark.parametrize(("change", "code"), CHANGES.values(), ids=CHANGES)
def test_a_slice_changes_before_it_is_loaded(
    tmp_path: Path, change: Callable[[Path], object], code: Code
) -> None:
    paths = phantom.write_series(tmp_path, slices(positions(even())))
    (series,) = open_study(tmp_path).series
    change(paths[3])
    with pytest.raises(StudyError) as caught:
        series.load()
    assert caught.value.code is code


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz", "p.png"])
def test_a_file_is_gone_before_it_is_loaded(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.startswith("v"):
        nibabel.save(nibabel.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4)), path)
    else:
        Image.fromarray(np.arange(99, dtype=np.uint8).reshape(9, 11)).save(path)
    (series,) = open_study(path).series
    path.unlink()
    with pytest.raises(StudyError) as caught:
        series.load()
    assert caught.value.code is Code.PATH_MISSING


@pytest.mark.parametrize("name", ["z.nii", "z.nii.gz", "z.nrrd", "z.dcm"])
def test_a_file_goes_while_the_folder_is_searched(tmp_path: Path, name: str) -> None:
    phantom.write_series(tmp_path, slices(positions(even())))
    last = tmp_path / name
    last.write_bytes(b"not yet read")
    study = open_study(tmp_path, progress=lambda fraction, step: last.unlink(missing_ok=True))
    assert [series.grid for series in study.series] == [(8, 12, 10)]
    assert [problem.code for problem in study.problems] == [Code.PATH_MISSING]
