"""Scores and levels of made-up maps, in mm3."""

from __future__ import annotations

import numpy as np
import pytest

from napari_d24fad.anatomy.grid import WorkingGrid, working_grid
from napari_d24fad.detection.atlas.statistics import ScanScore, components, learn_levels, slice_scores
from napari_d24fad.studies.scan import Scan

AFFINE = np.array([[0, 0, 2.0, 0], [0, 2.0, 0, 0], [5.0, 0, 0, 0], [0, 0, 0, 1]])
SHAPE = (12, 40, 40)


def grid() -> WorkingGrid:
    return working_grid(Scan(np.zeros(SHAPE, np.float32), AFFINE), (5.0, 2.0, 2.0))


def noise(seed: int) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)
    found[:, :, :5] = np.nan
    return found


def test_scan_score_is_of_a_volume_and_of_what_hangs_together() -> None:
    together, apart = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    together[4:8, 10:14, 10:14] = 5  # 64 voxels of 20 mm3
    apart.reshape(-1)[np.arange(64) * 293] = 5
    known = np.ones(SHAPE, bool)

    def score(fused: np.ndarray, mm3: float, sigma_mm: float = 0.0) -> float:
        return ScanScore(known, grid(), mm3, sigma_mm).of(fused)

    assert score(together, 1280.0) == pytest.approx(5)
    assert score(together, 2560.0) == pytest.approx(2.5)
    assert score(apart, 1280.0) == pytest.approx(5)
    assert score(together, 1280.0, 4.0) > 1.2 * score(apart, 1280.0, 4.0)


def test_slice_scores_are_of_an_area() -> None:
    values = np.zeros(SHAPE, np.float32)
    values[3, 10:12, 10:12] = 4  # 4 pixels of 4 mm2
    values[11] = np.nan
    scores = slice_scores(values, grid(), 16.0)
    assert scores[3] == pytest.approx(4)
    assert scores[4] == 0
    assert np.isnan(scores[11])
    assert slice_scores(values, grid(), 32.0)[3] == pytest.approx(2)


def test_components_are_ranked_by_mass_and_small_ones_left_out() -> None:
    values = np.zeros(SHAPE, np.float32)
    values[2, 5:9, 5:9] = 3  # 16 voxels of 20 mm3, 1 above the level
    values[6:8, 20:23, 20:23] = 5  # 18 voxels, 3 above
    values[10, 30, 30] = 100
    found = components(values, grid(), 2.0, 50.0)
    assert found.masses == pytest.approx((18 * 20 * 3, 16 * 20 * 1))
    assert found.labels[6, 21, 21] == 1
    assert found.labels[10, 30, 30] == 0


def test_levels_let_normal_scans_show_as_many_regions_as_stated() -> None:
    maps, grids = [noise(seed) for seed in range(8)], [grid()] * 8
    levels, masses = learn_levels(maps, grids, 0.01, 40.0)
    share = np.median([(found[np.isfinite(found)] > levels.value).mean() for found in maps])
    assert share == pytest.approx(0.01, rel=0.05)
    for rate, allowed in ((0.25, 2), (1.0, 8)):
        shown = [m for found in maps for m in components(found, grid(), levels.value, 40.0).masses]
        assert sum(m >= levels.mass_at(rate) for m in shown) == min(allowed, len(masses))
