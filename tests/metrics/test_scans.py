import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from napari_d24fad.metrics.scans import auroc, image_metrics


def test_against_slow_definitions() -> None:
    r = np.random.default_rng(0)
    labels = [bool(label) for label in r.integers(0, 2, 60)]
    scores = [float(value) for value in r.normal(size=60).round(1) + labels]  # with ties
    found = image_metrics(scores, labels)
    pairs = [
        (a > n) + 0.5 * (a == n)
        for a, one in zip(scores, labels, strict=True)
        if one
        for n, other in zip(scores, labels, strict=True)
        if not other
    ]
    assert found.auroc == pytest.approx(np.mean(pairs))
    assert found.auroc == pytest.approx(roc_auc_score(labels, scores))
    f1 = []
    for threshold in scores:
        hits = sum(one for score, one in zip(scores, labels, strict=True) if score >= threshold)
        f1.append(2 * hits / (sum(labels) + sum(score >= threshold for score in scores)))
    assert found.f1max == pytest.approx(max(f1))


def test_analytic_cases() -> None:
    labels = [False, False, True, True]
    perfect = image_metrics([0.1, 0.2, 0.3, 0.4], labels)
    assert (perfect.auroc, perfect.ap, perfect.f1max) == (1.0, 1.0, 1.0)
    # Positives at ranks 1 and 3: precision 1 at recall 1/2, 2/3 at recall 1.
    mixed = image_metrics([0.1, 0.3, 0.2, 0.4], labels)
    assert mixed.auroc == pytest.approx(0.75)
    assert mixed.ap == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert mixed.f1max == pytest.approx(0.8)
    assert auroc([1.0, 1.0, 1.0, 1.0], labels) == 0.5


def test_scores_that_differ_late_are_told_apart() -> None:
    assert auroc([1.0, 1.0 + 1e-9], [False, True]) == 1.0
