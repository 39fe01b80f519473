import numpy as np
import pytest

from napari_d24fad.evaluation.measure import Scores
from napari_d24fad.evaluation.summary import Estimate, summarise
from napari_d24fad.evaluation.trivial import best_statistic, statistics
from tests.detection.subjects import head
from tests.evaluation.images import picture


def test_interval_is_students() -> None:
    """Five draws: t(0.975, 4) = 2.776."""
    values = [0.80, 0.82, 0.84, 0.86, 0.88]
    found = Estimate.of(values)
    half = 2.7764451 * np.std(values, ddof=1) / np.sqrt(5)
    assert found.mean == pytest.approx(0.84)
    assert (found.low, found.high) == (pytest.approx(0.84 - half), pytest.approx(0.84 + half))
    assert Estimate.of([0.5, 1.0]).high == 1.0
    assert Estimate.of([0.9]) == Estimate(0.9, None, None, (0.9,))


def test_rows_keep_shots_and_methods_apart() -> None:
    abnormal = (False, False, True, True)
    right, wrong = (0.0, 1.0, 2.0, 3.0), (3.0, 2.0, 1.0, 0.0)
    measured = [
        Scores(shots, draw, (4, 5, 6, 7), abnormal, {"model": right if shots == 8 else wrong, "other": right})
        for draw in range(2)
        for shots in (2, 8)
    ]
    rows = {(row.shots, row.method, row.metric): row.estimate.mean for row in summarise(measured)}
    assert rows[8, "model", "image AUROC"] == 1.0
    assert rows[2, "model", "image AUROC"] == 0.0
    assert rows[2, "other", "image AUROC"] == 1.0
    assert {metric for _, _, metric in rows} == {"image AUROC", "image AP", "image F1max"}


def test_the_statistic_that_gives_a_task_away_is_found_either_way_round() -> None:
    found = [{"mean": float(i % 4), "contrast": float(-i)} for i in range(10)]
    assert best_statistic(found, [i >= 5 for i in range(10)]) == ("contrast", 1.0)


def test_statistics_of_a_volume_and_of_an_image() -> None:
    scan = head(0)
    measured = statistics(scan)
    assert measured["mean"] == pytest.approx(float(scan.voxels.mean()), rel=1e-5)
    assert measured["columns per row"] == pytest.approx(36 / 40)
    noisy = picture(0).astype(np.float32)
    from dataclasses import replace

    flat = replace(scan, voxels=np.full((1, 48, 48), 3, np.float32) + np.eye(48, dtype=np.float32)[None])
    rough = replace(scan, voxels=noisy[None])
    assert statistics(flat)["sharpness"] < statistics(rough)["sharpness"]
    assert statistics(flat)["bytes per pixel"] < statistics(rough)["bytes per pixel"]
