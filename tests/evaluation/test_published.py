"""The published protocol: what it computes, and how far its leaks carry a known AUROC."""

import numpy as np
import pytest
from scipy import ndimage

from napari_d24fad.evaluation.published import BATCH, SIGMA, published_scores
from napari_d24fad.metrics.scans import auroc

SIDE = 32


def maps_with(shift: float, seed: int) -> tuple[np.ndarray, list[bool]]:
    """96 normal maps, then 96 abnormal ones whose overall level is higher by ``shift`` deviations."""
    r = np.random.default_rng(seed)
    abnormal = [False] * 96 + [True] * 96
    levels = r.normal(size=192) + shift * np.array(abnormal)
    return (levels[:, None, None] + 0.05 * r.normal(size=(192, SIDE, SIDE))).astype(np.float32), abnormal


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_inflates_a_known_auroc(seed: int) -> None:
    """Deviations of 0.95 make an AUROC of Phi(0.95 / sqrt(2)) = 0.75."""
    maps, abnormal = maps_with(0.95, seed)
    honest = [float(ndimage.gaussian_filter(each, SIGMA).max()) for each in maps]
    assert auroc(honest, abnormal) == pytest.approx(0.75, abs=0.08)
    published = published_scores(maps)
    assert auroc([float(score) for score in published], abnormal) > 0.9


def test_without_any_difference_sorting_alone_does_not_help() -> None:
    found = []
    for seed in range(20):
        maps, abnormal = maps_with(0.0, seed)
        found.append(auroc([float(score) for score in published_scores(maps)], abnormal))
    assert np.mean(found) == pytest.approx(0.5, abs=0.12)


def test_scores_are_scaled_over_the_set_and_the_last_batch_is_dropped() -> None:
    maps, _ = maps_with(0.5, 0)
    scores = published_scores(maps[: 2 * BATCH + 5])
    assert len(scores) == 2 * BATCH
    assert (scores.min(), scores.max()) == (0.0, 1.0)
    first = np.array([each.max() for each in ndimage.gaussian_filter(maps[:BATCH], SIGMA)])
    second = np.array([each.max() for each in ndimage.gaussian_filter(maps[BATCH : 2 * BATCH], SIGMA)])
    both = np.concatenate([first, second])
    np.testing.assert_allclose(scores, (both - both.min()) / (both.max() - both.min()), atol=1e-6)
