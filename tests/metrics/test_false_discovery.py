"""Benjamini-Hochberg as SciPy has it, and what few references limit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from napari_d24fad.metrics.false_discovery import q_values, reach


def test_q_values_are_those_of_scipy_and_nan_stays() -> None:
    random = np.random.default_rng(0)
    p = np.round(random.random(200) ** 3, 2) + 0.001  # with ties
    assert q_values(p) == pytest.approx(false_discovery_control(p))
    with_nan = np.insert(p, [0, 50], np.nan)
    assert np.flatnonzero(np.isnan(q_values(with_nan))).tolist() == [0, 51]
    assert q_values(with_nan)[~np.isnan(with_nan)] == pytest.approx(false_discovery_control(p))
    assert q_values([]).shape == (0,)


def test_references_that_a_rate_takes_are_enough_and_one_less_is_not() -> None:
    scans, high = 100, 20
    told = reach([1 / 9] * high + [0.9] * (scans - high), 1 / 9)
    assert (told.scans, told.at_floor) == (scans, high)
    needed = told.references_for(0.1)
    assert needed == 49
    for references, flagged in ((needed, high), (needed - 1, 0)):
        p = [1 / (references + 1)] * high + [0.9] * (scans - high)
        assert np.count_nonzero(q_values(p) <= 0.1) == flagged
