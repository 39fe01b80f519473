"""Levels of one false region, and what is told of a query, counted by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from napari_d24fad.anatomy.found import Anatomy, Kind
from napari_d24fad.anatomy.grid import working_grid
from napari_d24fad.evaluation.volumes.levels import Levels, scan_score
from napari_d24fad.studies.scan import Scan

VOXEL = 30.0


def anatomy(values: npt.NDArray[np.float32], blocks: tuple[int, int, int] = (1, 1, 1)) -> Anatomy:
    """The anatomy of a scan of 5 x 3 x 2 mm, or so many times finer, whose map is known where it lies."""
    shape = tuple(length * block for length, block in zip(values.shape, blocks, strict=True))
    affine = np.zeros((4, 4))
    affine[[2, 1, 0, 3], [0, 1, 2, 3]] = [*np.divide((5.0, 3.0, 2.0), blocks), 1]
    scan = Scan(np.zeros(shape, np.float32), affine)
    grid = working_grid(scan, (5.0, 3.0, 2.0))
    return Anatomy(Kind.REGION, grid, np.isfinite(values), values)


def reference(*heights: float) -> npt.NDArray[np.float32]:
    """A map of 2 x 50 x 60 with a region of two voxels for each height; the rest is noise below 1."""
    values = np.random.default_rng(len(heights)).random((2, 50, 60)).astype(np.float32)
    for at, height in enumerate(heights):
        values[0, 5, 6 * at : 6 * at + 2] = height
    return values


def test_as_many_regions_of_the_references_are_told_as_there_are_references() -> None:
    levels = Levels.learn([(reference(9.0, 7.0, 4.0), VOXEL), (reference(8.0), VOXEL)])
    # Four regions of 60 mm3; the two of most mass, 9 and 8, are told of, those below are not.
    assert levels.mass == pytest.approx((7 - levels.level) * 2 * VOXEL, rel=1e-5)
    told = [levels.examined(each, anatomy(each)).n_told for each in (reference(9, 7, 4), reference(8))]
    assert told == [1, 1]


def test_regions_of_a_query_are_ranked_by_mass_and_small_ones_left_out() -> None:
    levels = Levels(1.5, 100.0, np.array([3.0, 5.0, 1.0]))
    values = np.full((3, 12, 12), np.nan, np.float32)
    values[:, 1:11, 1:11] = 0.5
    values[1, 2, 2:4] = 2.5  # mass (2.5 - 1.5) * 2 * 30 = 60
    values[2, 6, 5:9] = 4.5  # 3 * 4 * 30 = 360
    values[0, 8, 8] = 9.0  # one voxel of 30 mm3
    found = levels.examined(values, anatomy(values))
    assert found.masses == pytest.approx((360.0, 60.0))
    assert (found.labels[2, 6, 5], found.labels[1, 2, 2], found.labels[0, 8, 8]) == (1, 2, 0)
    assert found.n_told == 1
    assert np.count_nonzero(found.coloured) == 4
    assert found.slice_scores.tolist() == [9.0, 2.5, 4.5]
    # A millilitre is 33 voxels: 9, four of 4.5, two of 2.5 and 26 of 0.5.
    assert found.score == pytest.approx((9 + 4 * 4.5 + 2 * 2.5 + 26 * 0.5) / 33)
    assert found.p_value == (1 + 2) / 4


def test_the_score_of_a_small_scan_is_its_mean() -> None:
    assert scan_score(np.array([[[1.0, 3.0, np.nan]]], np.float32), 10.0) == 2.0


def test_slices_without_anatomy_have_no_score() -> None:
    values = np.full((2, 4, 4), np.nan, np.float32)
    values[0, 1:3, 1:3] = 1.0
    found = Levels(5.0, 0.0, np.array([1.0, 1.0])).examined(values, anatomy(values))
    assert found.slice_scores[0] == 1.0
    assert np.isnan(found.slice_scores[1])
    assert (found.masses, found.n_told) == ((), 0)


def test_a_map_on_a_coarser_grid_comes_back_to_the_grid_of_the_scan() -> None:
    values = np.full((2, 6, 6), np.nan, np.float32)
    values[0, 1:5, 1:5] = 1.0
    values[0, 2, 2:4] = 4.0
    found = Levels(1.5, 0.0, np.array([9.0, 1.0])).examined(values, anatomy(values, (1, 2, 2)))
    assert found.values.shape == found.labels.shape == found.coloured.shape == (2, 12, 12)
    assert np.count_nonzero(found.coloured) == 8
    assert found.coloured[0, 4:6, 4:8].all()
    assert found.masses == pytest.approx((2.5 * 2 * VOXEL,))
    assert found.slice_scores.shape == (2,)
    assert found.anatomy is not None
    assert np.count_nonzero(found.anatomy) == 4 * 16
