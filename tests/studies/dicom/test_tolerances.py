"""What is rounding and what is not, where it matters how large a slice is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.tolerances import even_line, position_tolerance
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from tests.studies import phantom
from tests.studies.corpus.build import axes, even, positions, slices

_SHAPE = (100, 140)
_TURNED = (0.99801035, 0.04520149, 0.04395641, -0.03420429, 0.97380533, -0.22479600)


def _only(folder: Path, datasets: list[Dataset]) -> Series:
    phantom.write_series(folder, datasets, order="shuffled")
    (series,) = open_study(folder).series
    return series


def test_directions_of_four_digits_are_right_to_their_rounding(tmp_path: Path) -> None:
    datasets = slices(positions(even(), _TURNED), _TURNED, shape=_SHAPE)
    for dataset in datasets:
        dataset.ImageOrientationPatient = [f"{value:.4f}" for value in _TURNED]
    phantom.assert_world_linear(_only(tmp_path, datasets).load(), 0.7)


@pytest.mark.parametrize(("by", "read"), [(1e-4, True), (2e-4, True), (9e-4, False)])
def test_slices_turned_within_their_planes(tmp_path: Path, by: float, read: bool) -> None:
    """A slice of 104 mm, turned by so many radians; the mean lies between."""
    _, down, right = axes(phantom.OBLIQUE)
    datasets = slices(positions(even(), phantom.OBLIQUE), phantom.OBLIQUE, shape=_SHAPE)
    for dataset in datasets[::2]:
        dataset.ImageOrientationPatient = [*(right + by * down), *(down - by * right)]
    series = _only(tmp_path, datasets)
    if read:
        phantom.assert_world_linear(series.load(), 0.8)
    else:
        with pytest.raises(StudyError, match="not parallel"):
            series.load()


@pytest.mark.parametrize(("by", "read"), [(2e-4, True), (4.9e-4, False)])
def test_pixels_that_differ_in_size(tmp_path: Path, by: float, read: bool) -> None:
    datasets = slices(positions(even()), shape=(320, 60))
    for dataset in datasets[::2]:
        dataset.PixelSpacing = [f"{1.5 + by:.9f}", "0.75"]
    series = _only(tmp_path, datasets)
    if read:
        phantom.assert_world_linear(series.load(), 0.8)
    else:
        with pytest.raises(StudyError, match="pixel spacing"):
            series.load()


@pytest.mark.parametrize("gap", [0.05, 0.2, 0.4, 1.0, 5.0, 12.0])
@pytest.mark.parametrize("without", [1, 2, 15, 28])
def test_no_tolerance_hides_a_missing_slice(gap: float, without: int) -> None:
    distances = np.delete(np.arange(30) * gap, without)
    assert even_line(distances) is None
    assert even_line(np.arange(30) * gap) is not None


def test_tolerances_are_those_that_are_documented() -> None:
    assert position_tolerance(1.0) == pytest.approx(0.1)
    assert position_tolerance(5.0) == pytest.approx(0.25)
    assert position_tolerance(0.1) == pytest.approx(0.02)


def test_a_drift_by_less_than_a_pixel_is_no_tilt_and_no_error(tmp_path: Path) -> None:
    """Forty slices that each begin 0.0064 mm further down: 0.09 degrees, a quarter of a millimetre in all."""
    places = positions(even(40), slant=(0.0016, 0))
    series = _only(tmp_path, slices(places))
    assert series.problems == ()
    phantom.assert_world_linear(series.load(), 0.51)
    assert series.outline.affine[1, 0] == pytest.approx(0.0064)


def test_two_gaps_of_three_are_no_line() -> None:
    assert even_line(np.array([0.0, 4.0, 8.5, 12.0])) is None
    assert even_line(np.array([0.0, 4.0, 8.1, 12.0])) is not None


def test_what_is_missing_has_another_code_than_what_is_uneven(tmp_path: Path) -> None:
    for name, distances, code in (
        ("missing", [0, 4, 8, 16, 20], Code.MISSING_SLICE),
        ("uneven", [0, 4, 7, 11, 15.5], Code.UNEVEN_SLICES),
    ):
        series = _only(tmp_path / name, slices(positions(distances)))
        assert series.refusal is not None
        assert series.refusal.code is code
        assert series.remedy is not None
