"""How unlike the most alike place near by a place is: against a plain loop, and what it is there for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from napari_d24fad.detection.channels.aligned_patches import AlignedPatches
from napari_d24fad.detection.channels.channel import Described

SHAPE = (9, 10, 11)


def described(values: np.ndarray, counted: np.ndarray | None = None) -> Described:
    counted = np.ones(values.shape, bool) if counted is None else counted
    return {
        "index": np.stack(np.nonzero(counted)).astype(np.int16),
        "values": np.where(counted, values, 0).astype(np.float32),
        "counted": counted,
    }


@pytest.fixture
def texture() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)


def test_it_is_what_a_plain_loop_finds(texture: np.ndarray) -> None:
    other = np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32)
    found = AlignedPatches().distance(described(texture), described(other)).reshape(SHAPE)
    z, y, x = 4, 5, 6
    steps = [s for s in itertools.product((-1, 0, 1), repeat=3) if np.abs(s).sum() <= 2]
    assert len(steps) == 19
    own = texture[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2]
    errors = [
        np.mean((own - other[z + a - 1 : z + a + 2, y + b - 1 : y + b + 2, x + c - 1 : x + c + 2]) ** 2)
        for a, b, c in steps
    ]
    assert found[z, y, x] == pytest.approx(np.sqrt(min(errors)), rel=1e-5)


@pytest.mark.parametrize(("step", "is_found"), [((1, 0, 0), True), ((0, -1, 1), True), ((1, 1, 1), False)])
def test_what_lies_a_voxel_beside_is_no_departure(
    texture: np.ndarray, step: tuple[int, int, int], is_found: bool
) -> None:
    moved = np.roll(texture, step, axis=(0, 1, 2))
    found = AlignedPatches().distance(described(texture), described(moved)).reshape(SHAPE)
    assert bool(np.allclose(found[3:-3, 3:-3, 3:-3], 0, atol=1e-4)) is is_found


def test_grey_in_white_departs_though_grey_lies_beside() -> None:
    usual = np.where(np.arange(SHAPE[2]) < 5, 0.7, 1.0) * np.ones(SHAPE)
    query = usual.copy()
    query[3:6, 3:7, 5:9] = 0.7  # in white matter, where every reference has grey within a voxel or two
    found = AlignedPatches().distance(described(query), described(usual)).reshape(SHAPE)
    assert found[4, 4, 7] == pytest.approx(0.3, abs=1e-3)
    assert found[4, 8, 9] < 0.1


def test_what_a_reference_does_not_show_is_not_compared(texture: np.ndarray) -> None:
    seen = np.ones(SHAPE, bool)
    seen[:4] = False
    other = texture.copy()
    other[:4] = 50.0
    found = AlignedPatches().distance(described(texture), described(other, seen)).reshape(SHAPE)
    assert np.isnan(found[:4]).all()
    np.testing.assert_allclose(found[4:], 0, atol=1e-4)
    assert AlignedPatches().distance(described(texture, ~np.ones(SHAPE, bool)), described(other)).size == 0
