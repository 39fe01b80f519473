from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.detection.references.calibration import (
    LeftOutMaps,
    calibrate,
    conformal_p,
    conformal_slice_p,
    count_regions,
)


def scans(seed: int, count: int, spread: float, side: int = 32) -> list[LeftOutMaps]:
    """Normal scans whose log values share a shift per scan, which pooled pixels would take for noise."""
    r = np.random.default_rng(seed)
    inside = np.ones((1, side, side), bool)
    inside[:, :, :4] = False
    return [
        LeftOutMaps(
            np.exp(spread * r.standard_normal() + 0.3 * r.standard_normal((1, side, side))).astype(
                np.float32
            ),
            inside,
            np.array([0.5]),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize(("spread", "factor"), [(0.0, 1.15), (0.3, 2)])
def test_the_stated_rate_holds_on_further_scans_of_the_same_population(spread: float, factor: float) -> None:
    """Mean over 40 draws of eight references, with 20 further scans each."""
    observed: dict[float, list[float]] = {0.01: [], 0.05: []}
    for draw in range(40):
        drawn = scans(draw, 28, spread)
        calibration = calibrate(drawn[:8])
        values = np.stack([each.values() for each in drawn[8:]])
        for rate, rates in observed.items():
            rates.append(float((values >= calibration.level(rate)).mean()))
    for rate, rates in observed.items():
        assert rate / factor <= np.mean(rates) <= rate * factor


@pytest.mark.parametrize("share", [1e-3, 3e-4])
def test_small_p_values_are_those_of_pixels_that_references_show(share: float) -> None:
    """A value that one pixel in a thousand and fewer reaches is none that hardly any reaches."""
    drawn = scans(0, 16, 0.0, side=128)
    calibration = calibrate(drawn[:8])
    values = np.concatenate([each.values() for each in drawn[8:]])
    p_values = calibration.p_values(np.quantile(values, [1 - share]).astype(np.float32))
    assert share / 3 <= p_values[0] <= share * 3


def test_scans_that_vary_less_than_a_log_normal_does_are_not_promised_too_little() -> None:
    """Bounded values, as in most sets: where 1 % is stated, Student's t alone shows half of it."""
    observed = []
    for draw in range(40):
        r = np.random.default_rng(draw)
        drawn = scans(draw, 28, 0.0)
        drawn = [replace(each, maps=each.maps * np.float32(np.exp(r.uniform(-0.5, 0.5)))) for each in drawn]
        level = calibrate(drawn[:8]).level(0.01)
        observed.append(np.mean([(each.values() >= level).mean() for each in drawn[8:]]))
    assert 0.007 <= np.mean(observed) <= 0.014


def test_p_values_fall_with_the_value_and_agree_with_the_level() -> None:
    calibration = calibrate(scans(0, 8, 0.2))
    p_values = calibration.p_values(np.linspace(0.2, 5, 50, dtype=np.float32))
    assert (np.diff(p_values) <= 0).all()
    assert calibration.p_values(np.float32([calibration.level(0.01)]))[0] == pytest.approx(0.01, rel=1e-3)
    extremes = calibration.p_values(np.float32([0, 1e9, np.nan]))
    assert extremes[0] == pytest.approx(1, abs=1e-3)
    assert extremes[1] == pytest.approx(1e-5, rel=1e-3)
    assert np.isnan(extremes[2])


def test_values_that_shrink_with_one_reference_more_shrink_the_levels() -> None:
    drawn = scans(0, 8, 0.2)
    plain, smaller = calibrate(drawn), calibrate(drawn, 0.9)
    assert smaller.level(0.01) == pytest.approx(0.9 * plain.level(0.01), rel=1e-3)
    assert smaller.level_one_region == pytest.approx(0.9 * plain.level_one_region)
    np.testing.assert_array_equal(smaller.peaks, plain.peaks)


def test_padding_counts_for_nothing() -> None:
    drawn = scans(0, 4, 0.2)
    changed = [LeftOutMaps(np.where(each.inside, each.maps, 1e6), each.inside, each.levels) for each in drawn]
    assert calibrate(changed).level(0.01) == calibrate(drawn).level(0.01)
    assert calibrate(changed).level_one_region == calibrate(drawn).level_one_region


def test_two_equal_references_are_no_reason_for_a_division_by_zero() -> None:
    one = scans(0, 1, 0.0)[0]
    assert np.isfinite(calibrate([one, one]).level(0.01))


def test_a_conformal_p_value_is_a_rank_and_never_below_one_over_k_plus_one() -> None:
    normal = np.array([1.0, 2, 3, 4])
    assert conformal_p(9, normal) == pytest.approx(1 / 5)
    assert conformal_p(2, normal) == pytest.approx(4 / 5)
    assert conformal_p(0, normal) == 1


def test_slices_are_ranked_among_reference_slices_of_their_level() -> None:
    normal = np.array([[1, 5, np.nan], [2, 6, 7], [3, 4, 8]], np.float32)
    levels = [np.array([0.25, 0.75]), np.array([0.1, 0.5, 0.9]), np.array([0.1, 0.5, 0.9])]
    found = conformal_slice_p(np.float32([2.5, 6.5]), np.array([0.2, 0.8]), normal, levels)
    # At 0.2: 1, 2 and 3. At 0.8: 5, 7 and 8.
    np.testing.assert_allclose(found, [2 / 4, 3 / 4])


def test_one_region_is_counted_across_slices_and_specks_are_not() -> None:
    maps = np.zeros((3, 128, 128), np.float32)
    maps[:2, 10:20, 10:20] = 1
    maps[2, 40:50, 40:50] = 1
    maps[0, 80, 80] = 1
    assert count_regions(maps, 0.5) == 2
    assert count_regions(maps, 2) == 0


def test_above_the_level_references_show_one_region_each_at_most() -> None:
    maps = np.zeros((1, 64, 64), np.float32)
    for size, (row, column) in enumerate([(8, 8), (8, 40), (40, 8), (40, 40)], start=1):
        maps[0, row : row + 10, column : column + 10] = size
    one = LeftOutMaps(maps, np.ones((1, 64, 64), bool), np.array([0.5]))
    assert 3 < calibrate([one, one]).level_one_region <= 4
