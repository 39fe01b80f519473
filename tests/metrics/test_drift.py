"""Drift that was put in is found, where there is none p-values are even, and the figures are SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kruskal, spearmanr

from napari_d24fad.metrics.drift import drift_along, groups_differ


def test_trend_is_spearman_and_its_p_value_that_of_permutations() -> None:
    random = np.random.default_rng(1)
    times = random.integers(0, 12, 60)
    scores = random.normal(size=60) + 0.08 * times
    found = drift_along(scores, times)
    assert found is not None
    expected = spearmanr(scores, times)
    assert found.trend == pytest.approx(expected.statistic)
    assert found.trend_p == pytest.approx(expected.pvalue, abs=0.03)
    assert (found.scans, found.periods) == (60, len(set(times.tolist())))


def test_a_step_is_found_at_its_month_and_size() -> None:
    random = np.random.default_rng(2)
    times = np.repeat(np.arange(100, 110), 8)
    scores = random.normal(size=80) + 3.0 * (times >= 106)
    found = drift_along(scores, times)
    assert found is not None
    assert found.step_at == 106
    assert found.step == pytest.approx(3.0, abs=0.6)
    assert found.step_p == pytest.approx(0.001)


def test_without_drift_p_values_are_not_small_too_often() -> None:
    random = np.random.default_rng(3)
    times = np.repeat(np.arange(5), 6)
    found = [drift_along(random.normal(size=30), times, draws=99) for _ in range(200)]
    for p in ([each.trend_p for each in found if each], [each.step_p for each in found if each]):
        assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.06)
        assert np.mean(p) == pytest.approx(0.5, abs=0.07)


def test_groups_are_compared_as_by_kruskal() -> None:
    random = np.random.default_rng(4)
    groups = np.repeat([0, 1, 2], [20, 15, 25])
    scores = random.normal(size=60) + 0.6 * (groups == 1)
    expected = kruskal(*(scores[groups == each] for each in range(3))).pvalue
    assert groups_differ(scores, groups) == pytest.approx(expected, abs=0.03)


def test_too_little_tells_nothing() -> None:
    assert drift_along([1.0] * 7, range(7)) is None
    assert drift_along(range(20), [5] * 20) is None
    assert drift_along([np.nan] * 20, range(20)) is None
    constant = drift_along([1.0] * 20, range(20))
    assert constant is not None
    assert (constant.trend, constant.trend_p, constant.step_p) == (0, 1, 1)
    assert groups_differ([1.0, 2.0], np.array([0, 1])) == 1
