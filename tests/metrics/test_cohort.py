"""Figures of a set of volumes, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_d24fad.metrics.cohort import Measured, scan_auroc, smallest_p_share, volume_figures
from napari_d24fad.metrics.volumes import Found, LesionFound


def record(score: float, peaks: list[float], lesion: float | None = None, p: float = 1.0) -> Measured:
    """A scan whose regions have the ranks of its peaks, times ten."""
    masses = tuple(10 * each for each in peaks)
    if lesion is None:
        found = Found(np.array(peaks), masses, len(peaks), coloured=10, coloured_outside=1)
        return Measured(False, score, p, 2.0, 1.5, found)
    told = LesionFound(
        by_peak=lesion,
        by_region=10 * lesion,
        each_by_peak=(lesion, 0.0),
        each_by_region=(10 * lesion, 0.0),
        first_peak=lesion > 4,
        first_region=True,
        slice_auroc=0.75,
        first_slice=lesion > 0,
        slices=0.5,
        dice=max(lesion, 0) / 10,
        inside=1.0,
    )
    return Measured(True, score, p, 2.0, 1.5, Found(np.array(peaks), masses, 1, 10, 4, told))


def test_figures_of_a_set() -> None:
    measured = [
        record(1.0, [3.0, 1.0], p=1 / 3),
        record(2.0, []),
        record(1.5, [9.0], 5.0),
        record(3.0, [2.0], 2.0),
        record(-np.inf, [], -np.inf),
    ]
    figures = volume_figures(measured, 2)
    assert figures["scan AUROC"] == pytest.approx((0.5 + 1 + 0) / 3)
    assert figures["slice AUROC"] == 0.75
    assert figures["top slice holds lesion"] == pytest.approx(2 / 3)
    assert figures["highest point in lesion"] == pytest.approx(1 / 3)
    assert figures["median Dice at own level"] == pytest.approx(0.2)
    assert figures["regions per normal scan"] == 1.0
    assert figures["normal scans without region"] == 0.5
    assert figures["most regions of a normal scan"] == 2.0
    assert figures["coloured outside anatomy"] == pytest.approx((1 + 1 + 4 + 4 + 4) / 50)
    # Two normal scans with peaks 3 and 1: 1/4 and 1/2 allow none and one, above 3 and above 1.
    for by in ("", ", by region"):
        assert figures[f"scan{by} sensitivity at 0.25"] == pytest.approx(1 / 3)
        assert figures[f"scan{by} sensitivity at 0.5"] == pytest.approx(2 / 3)
        assert figures[f"lesion{by} sensitivity at 0.25"] == pytest.approx(1 / 6)
        # From 1 on everything is allowed, and all is found but what no region touches.
        assert figures[f"scan{by} sensitivity, mean"] == pytest.approx((1 / 3 + 4 * 2 / 3) / 5)
    assert figures["mean p of normal scans"] == pytest.approx(2 / 3)
    assert figures["normal scans at smallest p"] == 0.5
    assert (figures["seconds per scan"], figures["CPU seconds per scan"]) == (2.0, 1.5)


def test_normal_scans_alone_have_no_accuracy() -> None:
    figures = volume_figures([record(1.0, [3.0])], 2)
    assert np.isnan([figures["scan AUROC"], figures["slice AUROC"], figures["scan sensitivity, mean"]]).all()


def test_a_refused_scan_scores_lowest_and_one_label_tells_nothing() -> None:
    assert scan_auroc([record(0.0, []), record(-np.inf, [], 1.0)]) == 0.0
    assert np.isnan(scan_auroc([record(0.0, [])]))


def test_smallest_p_values_are_counted_among_those_known() -> None:
    unknown = record(0.0, [], p=float("nan"))
    assert smallest_p_share([record(0.0, [], p=0.25), record(0.0, [], p=0.5), unknown], 3) == 0.5
    assert np.isnan(smallest_p_share([unknown], 3))
