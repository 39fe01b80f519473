import math

import numpy as np

from napari_d24fad.training.guard import MEMORY, PATIENCE, DivergenceGuard


def test_what_is_no_number_is_noticed_at_once() -> None:
    for loss in (math.nan, math.inf):
        guard = DivergenceGuard()
        assert guard.see(loss)
        assert guard.suspicious


def test_a_loss_that_stays_far_above_its_median_is_a_divergence_and_single_peaks_are_not() -> None:
    guard = DivergenceGuard()
    random = np.random.default_rng(0)
    for step in range(1000):
        peak = 100 if step % 20 == 0 else 1
        assert not guard.see(peak * float(random.lognormal(0, 0.3)))
    for step in range(1, PATIENCE + 1):
        reason = guard.see(30.0)
        assert guard.suspicious
        assert bool(reason) == (step == PATIENCE)
    assert "above its running median" in reason


def test_the_steep_start_is_no_divergence_and_a_return_ends_the_suspicion() -> None:
    guard = DivergenceGuard()
    for step in range(MEMORY):
        assert not guard.see(1e-3 if step < 50 else 5.0)
        assert not guard.suspicious
    assert not guard.see(500.0)
    assert guard.suspicious
    assert not guard.at_end()
    assert not guard.see(500.0)
    assert "above its running median" in guard.at_end()
    assert not guard.see(5.0)
    assert not guard.at_end()
    assert not guard.suspicious
