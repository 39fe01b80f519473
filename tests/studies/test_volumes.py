"""Several volumes of one series or file: one row of a list, chosen by number, named by what differs."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset

from napari_d24fad.errors import ArgumentError, Code, StudyError
from napari_d24fad.session.opening import open_paths
from napari_d24fad.studies.study import chosen, open_study
from napari_d24fad.studies.volumes import Member, summary, together
from tests.studies import phantom
from tests.studies.corpus.build import even, positions, slices
from tests.studies.corpus.multiframe import enhanced


def weighted(folder: Path, weightings: list[int], *, series_number: int = 1) -> None:
    """A diffusion series: all slices of each weighting at the same places."""
    datasets = []
    for at, weighting in enumerate(weightings):
        for dataset in slices(positions(even(4)), series_uid=f"2.25.77{series_number}"):
            dataset.DiffusionBValue = float(weighting)
            dataset.AcquisitionNumber = at + 1
            dataset.InstanceNumber = len(datasets) + 1
            dataset.SeriesNumber = series_number
            datasets.append(dataset)
    phantom.write_series(folder / str(series_number), datasets, order="shuffled")


def four_dimensional(path: Path, volumes: int) -> Path:
    values = np.stack([np.arange(60).reshape(3, 4, 5) + 100 * at for at in range(volumes)], axis=-1)
    nibabel.save(nibabel.Nifti1Image(values.astype(np.int16), np.diag([2.0, 2, 3, 1])), path)
    return path


def test_volumes_of_a_series_are_one_row_that_says_in_what_they_differ(tmp_path: Path) -> None:
    weighted(tmp_path, [0, 1000, 2000])
    weighted(tmp_path, [0], series_number=2)
    study = open_paths([tmp_path])
    assert len(study.series) == 4
    assert [len(row) for row in study.rows] == [3, 1]
    row = study.rows[0]
    assert summary(row) == "3 volumes: b = 0, 1000, 2000"
    assert [one.member.shown for one in row if one.member] == ["1: b 0", "2: b 1000", "3: b 2000"]
    assert row[1].label.endswith("no. 1, volume 2")
    assert study.rows[1][0].label.endswith("no. 2")
    assert study.rows[1][0].member is None
    for one in row:
        phantom.assert_world_linear(one.load())


def test_many_directions_of_one_weighting(tmp_path: Path) -> None:
    weighted(tmp_path, [0, 1000, 1000, 1000])
    (row,) = open_study(tmp_path).rows
    assert summary(row) == "4 volumes: b = 0, 1000"
    assert [one.member.number for one in row if one.member] == [1, 2, 3, 4]
    assert len({one.member.name for one in row if one.member}) == 4


def test_parts_that_lie_elsewhere_are_rows_of_their_own(tmp_path: Path) -> None:
    planes = (phantom.AXIAL, phantom.CORONAL)
    datasets = [one for plane in planes for one in slices(positions(even(), plane), plane)]
    phantom.write_series(tmp_path, datasets)
    assert [len(row) for row in open_study(tmp_path).rows] == [1, 1]


def test_a_file_of_hundreds_of_volumes(tmp_path: Path) -> None:
    path = four_dimensional(tmp_path / "v.nii.gz", 120)
    study = open_study(path)
    (row,) = study.rows
    assert summary(row) == "120 volumes"
    assert chosen(row, 87).load().voxels.min() == 8600
    (tmp_path / "v.bval").write_text(" ".join(["0", *["1000"] * 119]))
    assert summary(open_study(path).rows[0]) == "120 volumes: b = 0, 1000"
    (tmp_path / "v.bval").write_text("0 1000 1000")  # of another file
    assert summary(open_study(path).rows[0]) == "120 volumes"


def test_choosing(tmp_path: Path) -> None:
    study = open_study(four_dimensional(tmp_path / "v.nii", 3))
    with pytest.raises(StudyError, match="3 volumes") as caught:
        chosen(study.rows[0], None)
    assert caught.value.code is Code.SEVERAL_SERIES
    for volume in (0, 4):
        with pytest.raises(ArgumentError):
            chosen(study.rows[0], volume)
    alone = open_study(four_dimensional(tmp_path / "w.nii", 1))
    assert chosen(alone.rows[0], None) is chosen(alone.rows[0], 1) is alone.series[0]


def test_frames_of_one_file_are_one_row_too(tmp_path: Path) -> None:
    dataset = enhanced(positions(even(8)), order=(0, 1, 2, 3, 0, 1, 2, 3))
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        echo = Dataset()
        echo.EffectiveEchoTime = 4.6 if number < 4 else 9.2
        group.MREchoSequence = [echo]
    phantom.save(dataset, tmp_path / "frames")
    (row,) = open_study(tmp_path).rows
    assert summary(row) == "2 volumes: echo time = 4.6, 9.2"
    for one in row:
        assert one.grid[0] == 4
        phantom.assert_world_linear(one.load())


class Named:
    def __init__(self, number: int, name: str) -> None:
        self.member = Member("whole", number, name)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["echo 1", "echo 2"], "2 volumes: echo = 1, 2"),
        (["echo time 4.6", "echo time 9.2"], "2 volumes: echo time = 4.6, 9.2"),
        ([f"b {b}" for b in range(0, 600, 100)], "6 volumes: b = 0, 100, 200, 300, ..."),
        (["type M", "type P"], "2 volumes: type = M, P"),
        (["type M, echo 1", "type P, echo 1"], "2 volumes: type = M, P"),
        (["type M", "echo 2"], "2 volumes: type M, echo 2"),
        (["volume 1", "volume 2"], "2 volumes"),
        (["", ""], "2 volumes"),
    ],
)
def test_summary(names: list[str], text: str) -> None:
    assert summary([Named(at, name) for at, name in enumerate(names, 1)]) == text


def test_together_keeps_the_order_of_what_comes_first() -> None:
    one, two, other = Named(2, ""), Named(1, ""), Named(1, "")
    other.member = Member("another", 1)
    assert together([one, other, two]) == ((two, one), (other,))
