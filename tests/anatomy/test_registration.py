from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from napari_d24fad.anatomy.registration import align, outlying
from napari_d24fad.anatomy.volume import Volume
from napari_d24fad.errors import Cancelled
from napari_d24fad.progress import CancelToken
from tests.anatomy import known_head as heads

HEAD = heads.template()


def with_sphere(scan: Volume, centre: tuple[float, float, float], diameter: float, grey: float) -> Volume:
    points = heads.places(scan.values.shape, scan.affine)
    inside = np.linalg.norm(points - np.array(centre), axis=-1) < diameter / 2
    return Volume(np.where(inside, np.float32(grey), scan.values), scan.affine)


@pytest.mark.parametrize(("axis", "degrees"), [("x", 25), ("y", -25), ("z", 25)])
def test_a_head_tilted_by_25_degrees_is_found(axis: str, degrees: float) -> None:
    true = heads.turned(axis, degrees, (10, -15, 8))
    alignment = align(HEAD, heads.drawn(true, low=(-120, -130, -110), high=(120, 130, 110)))
    assert alignment.accepted
    assert heads.misplaced(alignment.move, true) < 3


def test_a_smaller_head_far_from_the_middle_is_found() -> None:
    true = heads.turned("x", 5, (0, 0, 300)) @ np.diag([0.88, 0.92, 0.9, 1])
    alignment = align(HEAD, heads.drawn(true, low=(-92, -108, 214), high=(92, 108, 386)))
    assert alignment.accepted
    assert heads.misplaced(alignment.move, true) < 4


@pytest.mark.parametrize("top", [True, False])
def test_half_a_head_is_placed_where_it_belongs(top: bool) -> None:
    low, high = ((-92, -108, 0), (92, 108, 86)) if top else ((-92, -108, -86), (92, 108, 0))
    alignment = align(HEAD, heads.drawn(low=low, high=high))
    assert alignment.accepted
    assert 0.4 < alignment.overlap < 0.6
    assert heads.misplaced(alignment.move, np.eye(4)) < 5


def test_thick_slices_of_10_mm_are_placed() -> None:
    true = heads.turned("x", 8, (0, 5, 0))
    alignment = align(HEAD, heads.drawn(true, spacing=(10.0, 2.0, 2.0)))
    assert alignment.accepted
    assert heads.misplaced(alignment.move, true) < 5


def test_a_range_that_does_not_overlap_is_rejected() -> None:
    neck = heads.drawn(low=(-92, -108, -186), high=(92, 108, -56))
    alignment = align(HEAD, neck)
    assert not alignment.accepted
    assert alignment.reason


def test_three_slices_are_rejected() -> None:
    assert not align(
        HEAD, heads.drawn(low=(-92, -108, 0), high=(92, 108, 9), spacing=(3.0, 4.0, 4.0))
    ).accepted


def test_noise_is_rejected() -> None:
    noise = np.random.default_rng(0).random((44, 54, 46), np.float32)
    assert not align(HEAD, Volume(noise, HEAD.volume.affine)).accepted


@pytest.mark.parametrize("grey", [0.1, 2.0])
def test_a_tumour_of_80_mm_does_not_pull_the_head(grey: float) -> None:
    true = heads.turned("z", 6, (4, -6, 3))
    healthy = heads.drawn(true)
    ill = with_sphere(healthy, (25.0, 20.0, 12.0), 80.0, grey)
    alignment = align(HEAD, ill)
    assert alignment.accepted
    assert heads.misplaced(alignment.move, true) < 3


def test_outliers_are_the_tumour_and_no_other_place() -> None:
    ill = with_sphere(heads.drawn(), (25.0, 20.0, 12.0), 60.0, 0.1)
    places = heads.places(HEAD.anatomy.shape, HEAD.volume.affine)
    near = np.linalg.norm(places - np.array([25.0, 20.0, 12.0]), axis=-1)
    out = outlying(HEAD, ill, np.eye(4))
    assert out[near < 24].mean() > 0.8
    assert out[HEAD.anatomy & (near > 45)].mean() < 0.02
    assert not outlying(HEAD, heads.drawn(), np.eye(4)).any()


def test_what_was_not_measured_counts_nothing() -> None:
    scan = heads.drawn()
    values = scan.values.copy()
    values[:, :, :14] = np.nan
    alignment = align(HEAD, dataclasses.replace(scan, values=values))
    assert alignment.accepted
    assert alignment.overlap < 0.9
    assert heads.misplaced(alignment.move, np.eye(4)) < 4


def test_alignment_can_be_cancelled() -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        align(HEAD, heads.drawn(), token)


def test_alignment_is_the_same_twice() -> None:
    scan = heads.drawn(heads.turned("y", 7))
    np.testing.assert_array_equal(align(HEAD, scan).move, align(HEAD, scan).move)
