"""Pooled pixel metrics against definitions written down the slow way."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage
from sklearn.metrics import average_precision_score, roc_auc_score

from napari_d24fad.metrics.pixels import MAX_FPR, PixelCounts, PixelMetrics

Map = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@pytest.fixture
def scans() -> list[tuple[Map, Mask | None]]:
    """Three abnormal images with one to three lesions, a small volume, and two normal images."""
    r = np.random.default_rng(0)
    made: list[tuple[Map, Mask | None]] = []
    for shape, boxes in (
        ((1, 20, 24), [(0, 2, 3)]),
        ((1, 18, 18), [(0, 1, 1), (0, 10, 10)]),
        ((4, 16, 16), [(1, 2, 2), (1, 9, 9)]),
    ):
        mask = np.zeros(shape, bool)
        for at, (slice_, row, column) in enumerate(boxes):
            mask[slice_ : slice_ + 2, row : row + 3 + at, column : column + 5] = True
        made.append(((r.normal(size=shape) + mask * r.uniform(0, 3)).astype(np.float32), mask))
    made += [(r.normal(size=(1, 15, 17)).astype(np.float32), None) for _ in range(2)]
    return made


def measure(scans: list[tuple[Map, Mask | None]]) -> PixelMetrics:
    counts = PixelCounts({"one": 1.0, "never": 99.0})
    for values, mask in scans:
        counts.add(values, mask)
    return counts.metrics()


def slow_aupro(scans: list[tuple[Map, Mask | None]]) -> float:
    """Every threshold in turn: false-positive rate and mean overlap over connected lesions."""
    normal = np.concatenate([v[~m] if m is not None else v.ravel() for v, m in scans])
    points = [(0.0, 0.0)]
    for threshold in sorted({float(x) for values, _ in scans for x in values.ravel()}, reverse=True):
        overlaps = []
        for values, mask in scans:
            if mask is None:
                continue
            labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
            overlaps += [float((values[labels == n] >= threshold).mean()) for n in range(1, count + 1)]
        points.append((float((normal >= threshold).mean()), float(np.mean(overlaps))))
    area = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x0 >= MAX_FPR:
            break
        end = min(x1, MAX_FPR)
        at_end = y1 if x1 == x0 else y0 + (y1 - y0) * (end - x0) / (x1 - x0)
        area += (end - x0) * (y0 + at_end) / 2
    return area / MAX_FPR


def test_against_slow_definitions(scans: list[tuple[Map, Mask | None]]) -> None:
    found = measure(scans)
    values = np.concatenate([v.ravel() for v, _ in scans])
    truth = np.concatenate([(m if m is not None else np.zeros(v.shape, bool)).ravel() for v, m in scans])
    assert found.auroc == pytest.approx(roc_auc_score(truth, values), abs=1e-4)
    assert found.ap == pytest.approx(average_precision_score(truth, values), abs=1e-3)
    assert found.aupro == pytest.approx(slow_aupro(scans), abs=1e-3)
    dice = [2 * (truth & (values >= t)).sum() / ((values >= t).sum() + truth.sum()) for t in values]
    assert found.best_dice == pytest.approx(max(dice), abs=2e-3)
    at_one = values >= 1
    assert found.dice["one"] == 2 * (truth & at_one).sum() / (at_one.sum() + truth.sum())
    assert found.dice["never"] == 0


def test_a_perfect_map_and_an_uninformative_one() -> None:
    mask = np.zeros((1, 40, 40), bool)
    mask[0, 5:10, 5:10] = True
    perfect = measure([(mask.astype(np.float32), mask)])
    assert (perfect.auroc, perfect.ap, perfect.best_dice, perfect.dice["one"]) == (1.0, 1.0, 1.0, 1.0)
    assert perfect.aupro == pytest.approx(1.0)
    flat = measure([(np.zeros((1, 40, 40), np.float32), mask)])
    assert flat.auroc == pytest.approx(0.5)
    # The overlap then equals the false-positive rate: the mean of 0 to 0.3.
    assert flat.aupro == pytest.approx(MAX_FPR / 2)


def test_small_and_large_lesions_count_alike_for_aupro() -> None:
    mask = np.zeros((1, 60, 60), bool)
    mask[0, :30, :30] = True
    mask[0, 50:52, 50:52] = True
    large_only = mask.astype(np.float32)
    large_only[0, 50:52, 50:52] = -1
    found = measure([(large_only, mask)])
    assert found.auroc > 0.99
    # One of two lesions is found at a false-positive rate of 0, the other after everything else.
    assert found.aupro == pytest.approx(0.5)


def test_what_was_not_examined_is_missed(scans: list[tuple[Map, Mask | None]]) -> None:
    mask = np.zeros((1, 10, 10), bool)
    mask[0, :5, :4] = True
    values = mask.astype(np.float32)
    values[0, :, :2] = np.nan  # half of the lesion
    found = measure([(values, mask)])
    assert found.best_dice == pytest.approx(2 * 10 / (10 + 20))


def test_negative_values_keep_their_order() -> None:
    r = np.random.default_rng(1)
    mask = r.random((1, 30, 30)) < 0.2
    values = (r.normal(size=mask.shape) - 5 + mask).astype(np.float32)
    assert measure([(values, mask)]).auroc == pytest.approx(
        roc_auc_score(mask.ravel(), values.ravel()), abs=1e-4
    )
