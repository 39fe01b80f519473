"""Places where references vary count less; checked on made-up maps whose spread is known."""

import numpy as np
import pytest
import torch

from napari_d24fad.detection.references.calibration import LeftOutMaps
from napari_d24fad.detection.references.spread import measure_spread

SIDE = 96


def _maps(count: int, left: float, right: float, seed: int = 0) -> list[LeftOutMaps]:
    """Maps whose logarithms have one standard deviation in the left half and another in the right."""
    rng = np.random.default_rng(seed)
    deviation = np.where(np.arange(SIDE) < SIDE // 2, left, right)
    inside = np.ones((1, SIDE, SIDE), bool)
    level = np.array([0.5])
    return [
        LeftOutMaps(
            np.exp(deviation * rng.standard_normal((1, SIDE, SIDE))).astype(np.float32), inside, level
        )
        for _ in range(count)
    ]


def test_weights_are_the_spread_over_all_places_by_the_spread_at_each() -> None:
    count, left, right = 8, 0.1, 0.4
    spread = measure_spread(_maps(count, left, right), mirrored=False)
    overall = (left**2 + right**2) / 2
    for columns, own in ((slice(8, 28), left), (slice(68, 88), right)):
        drawn = (count * own**2 + overall) / (count + 1)
        found = spread.weights[8:-8, columns].mean()
        assert float(found) == pytest.approx(np.sqrt(overall / drawn), rel=0.05)
    assert spread.middle == pytest.approx(0, abs=0.02)


def test_the_same_departure_says_more_where_references_agree() -> None:
    spread = measure_spread(_maps(8, 0.1, 0.4), mirrored=False)
    weighed = spread.weigh(torch.full((1, SIDE, SIDE), 1.5))[0]
    assert weighed[48, 16] > 1.7 > 1.5 > weighed[48, 80] > 1


def test_what_is_usual_stays_1_and_order_at_a_place_is_kept() -> None:
    spread = measure_spread(_maps(4, 0.1, 0.4), mirrored=False)
    low, usual, high = spread.weigh(
        torch.tensor([0.5, np.exp(spread.middle), 2.0], dtype=torch.float32)[:, None, None]
    )
    torch.testing.assert_close(usual, torch.ones(SIDE, SIDE))
    assert (low < usual).all()
    assert (usual < high).all()


def test_both_sides_of_the_body_tell_of_each_other() -> None:
    spread = measure_spread(_maps(8, 0.1, 0.4), mirrored=True)
    torch.testing.assert_close(spread.weights, spread.weights.flip(1), rtol=1e-4, atol=1e-5)


def test_references_without_spread_weigh_every_place_alike() -> None:
    same = [
        LeftOutMaps(np.full((1, 32, 32), 2.0, np.float32), np.ones((1, 32, 32), bool), np.array([0.5]))
    ] * 3
    spread = measure_spread(same, mirrored=True)
    torch.testing.assert_close(spread.weights, torch.ones(32, 32))
    torch.testing.assert_close(spread.weigh(torch.full((1, 32, 32), 3.0)), torch.full((1, 32, 32), 1.5))


def test_padding_tells_nothing() -> None:
    inside = np.zeros((1, SIDE, SIDE), bool)
    inside[..., : SIDE // 2] = True
    maps = _maps(8, 0.1, 4.0)
    cropped = [LeftOutMaps(one.maps, inside, one.levels) for one in maps]
    spread = measure_spread(cropped, mirrored=False)
    assert float(spread.weights[8:-8, 8:28].mean()) == pytest.approx(1, rel=0.05)
