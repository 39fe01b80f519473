"""Levels of one false region, and what is told of a query, counted by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from napari_d24fad.evaluation.volumes.levels import Levels, scan_score
from napari_d24fad.studies.scan import Scan

VOXEL = 30.0


def scan(values: npt.NDArray[np.float32]) -> Scan:
    return Scan(values, np.diag([5.0, 3.0, 2.0, 1.0]))


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
    told = [
        levels.examined(scan(each), each, np.isfinite(each)).n_told
        for each in (reference(9, 7, 4), reference(8))
    ]
    assert told == [1, 1]


def test_regions_of_a_query_are_ranked_by_mass_and_small_ones_left_out() -> None:
    levels = Levels(1.5, 100.0, np.array([3.0, 5.0, 1.0]))
    values = np.full((3, 12, 12), np.nan, np.float32)
    values[:, 1:11, 1:11] = 0.5
    values[1, 2, 2:4] = 2.5  # mass (2.5 - 1.5) * 2 * 30 = 60
    values[2, 6, 5:9] = 4.5  # 3 * 4 * 30 = 360
    values[0, 8, 8] = 9.0  # one voxel of 30 mm3
    found = levels.examined(scan(values), values, np.isfinite(values))
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
    found = Levels(5.0, 0.0, np.array([1.0, 1.0])).examined(scan(values), values, np.isfinite(values))
    assert found.slice_scores[0] == 1.0
    assert np.isnan(found.slice_scores[1])
    assert (found.masses, found.n_told) == ((), 0)
