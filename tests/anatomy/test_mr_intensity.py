from __future__ import annotations

import numpy as np
import pytest

from napari_d24fad.anatomy.intensity import (
    comparable,
    matched_quantiles,
    smooth_bias,
)
from tests.anatomy import known_head as heads

HEAD = heads.template()
GREY, BRAIN = HEAD.volume.values, HEAD.anatomy
SPACING = (4.0, 4.0, 4.0)


def coil() -> np.ndarray:
    """A gain that falls to one side by half."""
    x = np.linspace(-1, 1, GREY.shape[2], dtype=np.float32)
    return np.exp(0.3 * x)[np.newaxis, np.newaxis]


def test_another_gain_and_coil_read_as_the_template() -> None:
    scan = heads.drawn(noise=0.0).values * 730 * coil()
    error = np.abs(comparable(scan, GREY, BRAIN, SPACING) - GREY)[BRAIN]
    assert np.mean(error) < 0.03
    assert np.mean(np.abs(scan / 730 - GREY)[BRAIN]) > 0.06


def test_a_lesion_is_not_taken_for_the_coil() -> None:
    near = np.linalg.norm(heads.places(GREY.shape, HEAD.volume.affine) - [25.0, 20.0, 12.0], axis=-1)
    lesion = near < 20
    scan = np.where(lesion, 1.6, GREY).astype(np.float32)
    made = comparable(scan, GREY, BRAIN, SPACING)
    assert np.median((made - GREY)[lesion]) > 0.8 * np.median((scan - GREY)[lesion])


def test_the_bias_is_that_of_the_coil() -> None:
    bias = smooth_bias(GREY * coil(), GREY, BRAIN, SPACING)
    slope = np.polyfit(np.broadcast_to(np.log(coil()), GREY.shape)[BRAIN], bias[BRAIN], 1)[0]
    assert slope > 0.5  # its ends are smoothed, its direction is kept


def test_quantiles_beyond_the_table_go_on_straight() -> None:
    rng = np.random.default_rng(0)
    template = rng.random((10, 20, 20)).astype(np.float32)
    scan = 5 * template + 3
    scan[0, 0, 0], scan[0, 0, 1] = 30.0, np.nan
    inside = np.ones(scan.shape, bool)
    inside[0] = False
    made = matched_quantiles(scan, template, inside)
    np.testing.assert_allclose(made[1:], template[1:], atol=0.02)
    assert made[0, 0, 0] == pytest.approx((30 - 3) / 5, rel=0.02)
    assert np.isnan(made[0, 0, 1])


def test_too_little_in_view_is_left_alone() -> None:
    scan = np.full(GREY.shape, np.nan, np.float32)
    scan[0, 0, :5] = 1
    assert comparable(scan, GREY, BRAIN, SPACING) is scan
