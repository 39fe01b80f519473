from __future__ import annotations

import numpy as np
from sklearn.covariance import ShrunkCovariance

from napari_d24fad.detection.examples.described import Described
from napari_d24fad.detection.examples.directions import OfPlaces, OfWhole

RNG = np.random.default_rng(0)


def image(whole: np.ndarray, channels: int = 6, side: int = 4) -> Described:
    places = RNG.standard_normal((side * side, channels)) * np.arange(1, channels + 1)
    return Described(places, np.ones(side * side, bool), whole)


def test_the_direction_of_places_is_fishers_with_a_ridge() -> None:
    references = [image(np.zeros(3)) for _ in range(5)]
    unusual = [RNG.standard_normal(6) + 3 for _ in range(3)]
    places = np.concatenate([each.places for each in references])
    # scikit-learn shrinks towards (1 - s) S + s tr(S) / p I: with s = r / (1 + r) the same up to a factor.
    shrunk = ShrunkCovariance(shrinkage=0.3 / 1.3).fit(places).covariance_ * 1.3
    expected = np.linalg.inv(shrunk) @ (np.mean(unusual[:2], axis=0) - places.mean(axis=0))
    np.testing.assert_allclose(OfPlaces(references, unusual).direction([0, 1]), expected, rtol=1e-9)


def test_the_direction_of_the_whole_is_fishers_with_a_ridge() -> None:
    """The few scans span all there is to learn: the same as inverting the large matrix."""
    references = [image(RNG.standard_normal(50)) for _ in range(6)]
    examples = [image(RNG.standard_normal(50) + 2) for _ in range(3)]
    normal, known = (np.stack([each.whole for each in scans]) for scans in (references, examples))
    deviation = normal.std(axis=0)
    scale = np.sqrt(deviation**2 + (0.3 * np.median(deviation)) ** 2)
    scale += 0.01 * np.sqrt(np.mean(normal**2)) + 1e-9
    z, away = (normal - normal.mean(axis=0)) / scale, (known - normal.mean(axis=0)) / scale
    within = np.concatenate([z, away - away.mean(axis=0)])
    ridge = np.trace(within @ within.T / 7) / 9 + 1e-9
    direction = np.linalg.solve(within.T @ within / 7 + ridge * np.eye(50), away.mean(axis=0))
    query = image(RNG.standard_normal(50))
    expected = (query.whole - normal.mean(axis=0)) / scale @ direction
    np.testing.assert_allclose(OfWhole(references, examples).along(query), expected, rtol=1e-6)


def test_of_two_references_one_is_enough_to_learn_without() -> None:
    (reference,) = [image(np.full(8, 5.0))]
    assert np.isfinite(OfWhole([reference], [image(np.full(8, 6.0))]).along(image(np.full(8, 7.0))))


def test_the_highest_places_are_those_inside() -> None:
    one = Described(np.eye(16, 3), np.arange(16) < 10, np.zeros(1))
    values = np.arange(16.0)
    assert one.top(values) == 9.0
    np.testing.assert_array_equal(one.mean(one.most(-values)), [1.0, 0.0, 0.0])
    assert one.side == 4
