"""How much higher a place is than all around it: against a plain search, and what it is there for."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from napari_d24fad.detection.channels.enclosed import Enclosed
from napari_d24fad.detection.channels.volume import WorkingVolume
from tests.detection.atlas.test_standard import SHAPE, volume

AS_IT_IS = Enclosed(softening=0.01, sigma_mm=(0.0, 0.0, 0.0))


def within(values: np.ndarray, mask: np.ndarray) -> WorkingVolume:
    made = volume(values)
    return dataclasses.replace(made, anatomy=dataclasses.replace(made.anatomy, mask=mask), counted=mask)


def by_levels(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The highest level at and above which a place hangs together with the border of the mask."""
    border = mask & ~ndimage.binary_erosion(mask)
    way = np.full(values.shape, -np.inf)
    for level in np.unique(values[mask]):
        labels = ndimage.label(mask & (values >= level))[0]
        outside = np.unique(labels[border & (labels > 0)])
        way[np.isin(labels, outside)] = level
    return values - way


def test_it_is_what_a_search_level_by_level_finds() -> None:
    random = np.random.default_rng(0)
    values = ndimage.gaussian_filter(random.standard_normal(SHAPE), 1).astype(np.float32)
    mask = ndimage.gaussian_filter(random.standard_normal(SHAPE), 3) > -0.03
    mask[:, :, -3:] = False
    assert 400 < mask.sum() < 1500
    found = AS_IT_IS.measure(within(values, mask))
    assert found is not None
    np.testing.assert_array_equal(np.isfinite(found), mask)
    np.testing.assert_allclose(found[mask], by_levels(values, mask)[mask], atol=1e-6)
    assert (found[mask] > 0).sum() > 5


def test_a_mass_in_the_midst_counts_and_a_fold_from_the_border_does_not() -> None:
    values = np.zeros(SHAPE, np.float32)
    values[4:8, :7, 4:8] = 1.0  # a fold, from the border inwards
    values[5:7, 9:11, 5:7] = 0.6  # a mass
    found = AS_IT_IS.measure(volume(values))
    assert found is not None
    assert found[5, 3, 5] == 0
    assert found[5, 9, 5] == np.float32(0.6)
    # Joined to the fold by something half as bright, it stands out by the rest.
    values[5:7, 7:9, 5:7] = 0.25
    joined = AS_IT_IS.measure(volume(values))
    assert joined is not None
    assert joined[5, 9, 5] == np.float32(0.6) - np.float32(0.25)


def test_darker_is_looked_for_with_negated_values() -> None:
    values = np.ones(SHAPE, np.float32)
    values[5:7, 5:7, 5:7] = 0.2
    brighter, darker = (AS_IT_IS.measure(volume(values).signed(sign)) for sign in (1, -1))
    assert brighter is not None
    assert darker is not None
    assert not brighter.any()
    assert darker[5, 5, 5] == np.float32(0.8)


def test_without_anatomy_it_says_nothing() -> None:
    assert AS_IT_IS.measure(within(np.zeros(SHAPE), np.zeros(SHAPE, bool))) is None
