from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from napari_d24fad.detection.channels.channel import Described
from napari_d24fad.detection.channels.placed_features import PlacedFeatures
from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.progress import CancelToken
from tests.anatomy.heads import Clot, Head, draw

CHANNEL = PlacedFeatures(-60.0, 90.0)


@lru_cache
def volume(seed: int, *clots: Clot) -> WorkingVolume:
    plan = head_ct_plan()
    scan = draw(Head(seed=seed, spacing=(5.0, 1.5, 1.5), low=16, high=31, clots=clots))[0]
    anatomy = plan.find(scan, CancelToken())
    return plan.prepare(anatomy, plan.placer.place(anatomy))


@lru_cache
def described(seed: int, *clots: Clot) -> Described:
    return CHANNEL.describe(volume(seed, *clots))


def test_it_is_what_a_plain_loop_finds() -> None:
    query, reference = described(0), described(1)
    found = CHANNEL.distance(query, reference)
    places = reference["places"].T
    for at in np.random.default_rng(0).choice(len(found), 30, replace=False):
        low = np.floor(query["places"][:, at] / CHANNEL.block_mm) * CHANNEL.block_mm
        high = low + CHANNEL.block_mm + CHANNEL.reach_mm
        near = (places >= low - CHANNEL.reach_mm) & (places < high)
        others = reference["features"][near.all(axis=1)].astype(np.float32)
        nearest = np.linalg.norm(others - query["features"][at].astype(np.float32), axis=1).min()
        np.testing.assert_allclose(found[at], nearest, atol=2e-3)


def test_a_clot_departs_and_the_same_head_does_not() -> None:
    clot = Clot((30, 20, 25), 9)
    with_clot, without = described(0, clot), described(0)
    index = tuple(with_clot["index"].astype(int))
    brighter = volume(0, clot).values[index] - volume(0).values[index]
    departs = CHANNEL.distance(with_clot, without)
    assert departs[brighter > 20].mean() > 4 * departs[np.abs(brighter) < 1].mean()
    assert CHANNEL.distance(without, without).max() < 0.01


def test_where_a_head_lies_in_its_picture_changes_little() -> None:
    own = volume(0)
    moved = replace(
        own,
        values=np.roll(own.values, 6, axis=2),
        counted=np.roll(own.counted, 6, axis=2),
        anatomy=replace(own.anatomy, mask=np.roll(own.anatomy.mask, 6, axis=2)),
        place=replace(own.place, coordinates=np.roll(own.place.coordinates, 6, axis=3)),
    )
    found = CHANNEL.describe(moved)
    np.testing.assert_allclose(found["places"], described(0)["places"], atol=1e-4)
    np.testing.assert_allclose(
        found["features"].astype(np.float32), described(0)["features"].astype(np.float32), atol=0.01
    )


def test_a_scan_far_away_is_compared_with_nothing() -> None:
    reference = described(1)
    far = {**reference, "places": reference["places"] + np.float32(500)}
    assert np.isnan(CHANNEL.distance(described(0), far)).all()
