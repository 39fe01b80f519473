"""Sensitivity at false regions per normal scan, counted by hand."""

import numpy as np
import pytest

from napari_d24fad.metrics.froc import froc


def test_levels_allow_just_so_many_false_regions() -> None:
    normal = [np.array([9.0, 5.0]), np.array([7.0, 4.0]), np.array([3.0]), np.array([2.0, 1.0])]
    # Sorted: 9 7 5 4 3 2 1. Rate 1/4 allows one: the level is 7. Rate 1 allows four: 3.
    found = froc(normal, [8.0, 7.0, 3.5, -np.inf])
    assert found.rates == (0.25, 0.5, 1.0, 2.0, 4.0)
    # Above 7: 8. Above 5: 8 and 7. Above 3: also 3.5. At 2 and 4 everything is allowed.
    assert found.sensitivity == (0.25, 0.5, 0.75, 0.75, 0.75)
    assert found.at(1.0) == 0.75
    assert found.mean == pytest.approx((0.25 + 0.5 + 3 * 0.75) / 5)


def test_a_lesion_as_high_as_the_level_is_not_found() -> None:
    assert froc([np.array([2.0, 1.0])], [2.0], (0.0,)).sensitivity == (0.0,)
    assert froc([np.array([2.0, 1.0])], [2.0], (1.0,)).sensitivity == (1.0,)


def test_without_a_lesion_nothing_is_known() -> None:
    assert np.isnan(froc([np.array([1.0])], []).mean)
