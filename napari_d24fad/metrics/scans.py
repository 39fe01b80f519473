"""How well one score per scan tells abnormal from normal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import average_precision_score, precision_recall_curve


@dataclass(frozen=True, slots=True)
class ImageMetrics:
    """Metrics of one score per scan.

    Attributes:
        auroc: Area under the ROC curve.
        ap: Average precision, abnormal being positive; by chance it is the share of abnormal scans.
        f1max: Highest F1 over all thresholds.
    """

    auroc: float
    ap: float
    f1max: float


def image_metrics(scores: Sequence[float], abnormal: Sequence[bool]) -> ImageMetrics:
    """Measures scores against labels.

    Args:
        scores: Higher is more abnormal.
        abnormal: The labels; both occur.
    """
    labels = np.asarray(abnormal, int)
    precision, recall, _ = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(float).tiny)
    return ImageMetrics(
        auroc=auroc(scores, abnormal),
        ap=float(average_precision_score(labels, scores)),
        f1max=float(f1.max()),
    )


def auroc(scores: Sequence[float], abnormal: Sequence[bool]) -> float:
    """Area under the ROC curve; 0.5 where all scores are equal."""
    from monai.metrics.rocauc import compute_roc_auc  # 3 seconds and 200 MB to import

    labels = torch.tensor([int(label) for label in abnormal])
    # In float64: scores that differ in their seventh digit are no ties.
    return float(np.asarray(compute_roc_auc(torch.tensor(list(scores), dtype=torch.float64), labels)))
