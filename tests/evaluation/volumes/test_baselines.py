"""Baselines on scans whose departures are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.evaluation.volumes.anatomy import scan_mask
from napari_d24fad.evaluation.volumes.baselines import BoxZScore, Extreme, smoothed
from napari_d24fad.studies.scan import Scan
from tests.evaluation.volumes.sets import body, lesion_of, volume


def upright(seed: int, lesion: float = 0.0) -> Scan:
    values = volume(seed)
    values[lesion_of(seed)] += lesion
    affine = np.zeros((4, 4))
    affine[0, 2], affine[1, 1], affine[2, 0], affine[3, 3] = 3.0, 3.0, 6.0, 1.0
    return Scan(np.ascontiguousarray(values.T), affine)


def mean_inside(values: npt.NDArray[np.float32], seed: int) -> float:
    return float(np.nanmean(values[lesion_of(seed).T]))


def test_the_mask_is_the_body_on_the_grid_of_the_scan() -> None:
    one = upright(3)
    mask = scan_mask(find_anatomy(one))
    assert mask.shape == one.grid
    assert mask.dtype == bool
    both = np.count_nonzero(mask & body(3).T)
    assert 2 * both / (np.count_nonzero(mask) + np.count_nonzero(body(3))) > 0.85


def test_smoothing_counts_nothing_outside_the_anatomy_and_no_unit_of_brightness() -> None:
    anatomy = find_anatomy(upright(1))
    found = smoothed(anatomy)
    assert np.isnan(found[~anatomy.mask]).all()
    assert abs(float(np.nanmedian(found))) < 0.2
    brighter = replace(anatomy, values=3 * anatomy.values + 50)
    np.testing.assert_allclose(smoothed(brighter), found, atol=1e-3)
    flat = replace(anatomy, values=np.where(anatomy.mask, 7.0, 0.0).astype(np.float32))
    np.testing.assert_allclose(smoothed(flat)[anatomy.mask], 0, atol=1e-5)


@pytest.mark.parametrize(("method", "sign"), [(Extreme(1), 1), (Extreme(-1), -1), (BoxZScore("both"), 1)])
def test_the_lesion_is_what_stands_out(method: Extreme | BoxZScore, sign: int) -> None:
    prepared = method.prepare([upright(seed) for seed in range(4)])
    query = upright(50, 160.0 * sign)
    found = prepared.examine(query)
    assert found.values.shape == query.grid
    assert found.anatomy is not None
    assert np.isnan(found.values[~found.anatomy]).all()
    assert lesion_of(50).T[np.unravel_index(np.nanargmax(found.values), query.grid)]
    assert (found.labels[lesion_of(50).T] == 1).any()
    assert found.n_told >= 1
    assert found.p_value == 1 / 5
    clean = prepared.examine(upright(50))
    assert clean.score < found.score


def test_the_z_score_takes_the_direction_that_is_asked_for() -> None:
    references = [upright(seed) for seed in range(4)]
    bright, dark = upright(50, 60.0), upright(50, -60.0)
    values = {
        direction: [
            mean_inside(BoxZScore(direction).prepare(references).examine(query).values, 50)
            for query in (bright, dark)
        ]
        for direction in ("brighter", "darker", "both")
    }
    assert values["brighter"][0] > 2 > 0 > values["brighter"][1]
    assert values["darker"][1] > 2 > 0 > values["darker"][0]
    assert min(values["both"]) > 2


def test_a_scan_stored_in_another_order_gives_the_same_map() -> None:
    references = [upright(seed) for seed in range(4)]
    query = upright(50, 60.0)
    turned = Scan(
        np.ascontiguousarray(np.asarray(query.voxels)[::-1].transpose(2, 0, 1)),
        query.affine @ np.array([[0.0, -1, 0, query.grid[0] - 1], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]),
        slice_axis=1,
    )
    prepared = BoxZScore("both").prepare(references)
    expected, found = prepared.examine(query), prepared.examine(turned)
    np.testing.assert_allclose(found.values, expected.values[::-1].transpose(2, 0, 1), atol=1e-3)
    np.testing.assert_allclose(found.slice_scores, expected.slice_scores[::-1], atol=1e-3)
    assert found.score == pytest.approx(expected.score, rel=1e-3)
