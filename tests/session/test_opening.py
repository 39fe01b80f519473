from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from napari_d24fad.errors import Cancelled, Code, D24fadError
from napari_d24fad.progress import CancelToken
from napari_d24fad.session.opening import draw_thumbnails, open_paths
from tests.studies.phantom import CORONAL, slice_datasets, write_series


def test_folders_chosen_together_are_one_study(study_folder: Path) -> None:
    study = open_paths([study_folder / "query", study_folder / "reference-1"])
    assert [series.source.parent.name for series in study.series] == ["query", "reference-1"]
    assert [series.label.rpartition(", ")[2] for series in study.series] == ["no. 1", "no. 2"]


def test_files_of_one_folder_stand_for_the_folder(tmp_path: Path) -> None:
    files = write_series(tmp_path, slice_datasets())
    (series,) = open_paths(files[:2]).series
    assert series.grid[0] == len(files)
    assert "no." not in series.label
    (single,) = open_paths(files[:1]).series
    assert single.grid[0] == 1


@pytest.mark.parametrize("suffix", [".nii.gz", ".png"])
def test_files_that_are_scans_of_their_own_stand_for_themselves(tmp_path: Path, suffix: str) -> None:
    voxels = np.random.default_rng(0).integers(0, 255, (8, 9, 10), np.uint8)
    files = [tmp_path / f"{number}{suffix}" for number in range(4)]
    for file in files:
        if suffix == ".png":
            Image.fromarray(voxels[0]).save(file)
        else:
            nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), file)
    assert [series.source for series in open_paths(files[1:3]).series] == files[1:3]
    files[2].write_bytes(b"damaged")
    study = open_paths(files[1:3])
    assert [series.source for series in study.series] == files[1:2]
    assert len(study.problems) == 1


def test_a_scan_in_a_folder_that_is_opened_is_there_once(tmp_path: Path) -> None:
    files = write_series(tmp_path, slice_datasets())
    Image.fromarray(np.eye(9, dtype=np.uint8) * 255).save(tmp_path / "picture.png")
    study = open_paths([*files[:2], tmp_path / "picture.png"])
    assert [series.grid[0] for series in study.series] == [len(files), 1]


def test_thumbnails_come_one_by_one_and_failures_do_not_stop_them(tmp_path: Path) -> None:
    write_series(tmp_path / "a", slice_datasets())
    files = write_series(tmp_path / "b", slice_datasets(CORONAL))
    series = open_paths([tmp_path]).series
    for file in files:
        file.write_bytes(file.read_bytes()[:-20])
    shown = []
    draw_thumbnails(series, lambda one, drawn: shown.append((one, drawn)), CancelToken())
    assert [one for one, _ in shown] == list(series)
    failed = {one.source.name: drawn for one, drawn in shown if isinstance(drawn, D24fadError)}
    assert {name: error.code for name, error in failed.items()} == {"b": Code.TRUNCATED}


def test_refused_series_have_no_thumbnail(tmp_path: Path) -> None:
    files = write_series(tmp_path, slice_datasets())
    files[2].unlink()
    shown = []
    draw_thumbnails(open_paths([tmp_path]).series, lambda *drawn: shown.append(drawn), CancelToken())
    assert shown == []


def test_drawing_can_be_stopped(study_folder: Path) -> None:
    cancel = CancelToken()
    shown = []

    def show(*drawn: object) -> None:
        shown.append(drawn)
        cancel.cancel()

    with pytest.raises(Cancelled):
        draw_thumbnails(open_paths([study_folder]).series, show, cancel)
    assert len(shown) == 1
