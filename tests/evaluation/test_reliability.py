"""Stated against observed rates, and what one abnormal reference costs, on small made-up images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.evaluation.contamination import contamination
from napari_d24fad.evaluation.figures import canvas
from napari_d24fad.evaluation.reliability import Draw, Reliability, draw_reliability, reliability
from napari_d24fad.studies.scan import Scan
from tests.detection.subjects import random_model

SIDE = 64


def image(seed: int, disc: bool = False) -> Scan:
    """Smooth texture; an abnormal one has a bright disc that fills a quarter of it."""
    r = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    values = 300 + 100 * np.sin(6 * x + r.normal(0, 0.3)) * np.cos(5 * y + r.normal(0, 0.3))
    values += 10 * r.standard_normal((SIDE, SIDE))
    if disc:
        values[(x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.08] = 900
    return Scan(values[None].astype(np.float32), np.eye(4), has_geometry=False)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(random_model(), "cpu")


@pytest.fixture(scope="module")
def normals(detector: Detector) -> Sequence[EncodedScan]:
    return [detector.encode_scan(image(seed)) for seed in range(14)]


def test_rates_are_counted_on_scans_that_were_no_references(
    detector: Detector, normals: Sequence[EncodedScan]
) -> None:
    told: list[float] = []
    found = reliability(
        detector, normals, 6, 2, rates=(0.05, 0.5), progress=lambda fraction, step: told.append(fraction)
    )
    assert [len(draw.scan_p_values) for draw in found.draws] == [8, 8]
    assert told[-1] == pytest.approx(1)
    for draw in found.draws:
        assert min(draw.scan_p_values) >= 1 / 7
        assert draw.pixel_rates[0] < draw.pixel_rates[1]
    assert found.observed == pytest.approx(np.mean([draw.pixel_rates for draw in found.draws], axis=0))
    assert 0.2 < found.observed[1] < 0.8
    ranks = np.round([7 * p for draw in found.draws for p in draw.scan_p_values])
    for rank in range(1, 8):
        assert found.scans_at_or_below(rank / 7) == np.mean(ranks <= rank)
    assert len(set(ranks)) > 2, "made-up normal scans are neither all alike nor all abnormal"


def test_the_same_seed_draws_the_same(detector: Detector, normals: Sequence[EncodedScan]) -> None:
    first, second = (reliability(detector, normals, 6, 1, seed=3, limit=2) for _ in range(2))
    assert first == second
    assert reliability(detector, normals, 6, 1, seed=4, limit=2) != first


def test_the_plot_shows_every_draw_in_a_panel_per_rate_and_none_below_the_axis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(canvas, "save_figure", lambda figure, path: drawn.append(figure))
    rates = [(0.02, 0.06), (0.0, 0.04), (0.01, 0.05)]
    result = Reliability((0.01, 0.05), 8, tuple(Draw(each, 1.0, (0.5,)) for each in rates))
    draw_reliability(tmp_path / "reliability.png", {"texture": result})
    left, right = drawn[0].axes
    assert [axes.get_title() for axes in (left, right)] == ["stated: 1 %", "stated: 5 %"]
    # The stated rate, the draws on the axis, those below it.
    assert [len(line.get_ydata()) for line in left.lines] == [2, 2, 1]
    assert [len(line.get_ydata()) for line in right.lines] == [2, 3, 0]
    assert min(left.lines[2].get_ydata()) > left.get_ylim()[0]
    (mean,) = left.collections
    assert mean.get_segments()[0][0, 1] == pytest.approx(0.01)


def test_an_abnormal_reference_is_found_and_leaving_it_out_gives_back_what_it_cost(
    detector: Detector, normals: Sequence[EncodedScan]
) -> None:
    abnormals = [detector.encode_scan(image(100 + seed, disc=True)) for seed in range(4)]
    result = contamination(detector, normals, abnormals, 6, 3, queries=3)
    assert result.found == 1
    assert result.false_flags <= 0.25
    assert result.lost_without_flagged <= result.lost
    assert all(draw.clean == 1 for draw in result.draws)


def test_too_few_scans_are_refused(detector: Detector, normals: Sequence[EncodedScan]) -> None:
    for call in (
        lambda: reliability(detector, normals[:6], 6, 1),
        lambda: contamination(detector, normals, normals[:1], 6, 1),
    ):
        with pytest.raises(TrainingError) as refusal:
            call()
        assert refusal.value.code is Code.DATA_LAYOUT
