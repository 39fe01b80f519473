"""From the scores of several draws to figures with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from napari_d24fad.evaluation.measure import Scores
from napari_d24fad.metrics.scans import image_metrics

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over draws of references.

    Attributes:
        mean: Mean over the draws.
        low: Lower end of its 95 % interval (Student's t over the draws, within 0 to 1); None
            for a single draw.
        high: Upper end.
        values: The figure of each draw.

    The interval tells how far the figure depends on which references were drawn. It
    does not cover the choice of patients, which stays the same in all draws.
    """

    mean: float
    low: float | None
    high: float | None
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """Summarises one value per draw."""
        mean = float(np.mean(values))
        if len(values) < 2:
            return cls(mean, None, None, tuple(values))
        half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * stats.sem(values))
        return cls(mean, max(0.0, mean - half), min(1.0, mean + half), tuple(values))

    def __str__(self) -> str:
        return f"{self.mean:.3f}" + ("" if self.low is None else f" [{self.low:.3f}, {self.high:.3f}]")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one task.

    Attributes:
        shots: Number of references.
        method: What made the scores, such as ``"model"``.
        metric: What was measured.
        estimate: The figure.
    """

    shots: int
    method: str
    metric: str
    estimate: Estimate


def summarise(measured: Sequence[Scores]) -> tuple[Row, ...]:
    """Summarises the draws of one task.

    Args:
        measured: One entry per draw and number of references.

    Returns:
        Image and pixel metrics of every method, per number of references.
    """
    return tuple(row for shots in sorted({each.shots for each in measured}) for row in _rows(measured, shots))


def _rows(measured: Sequence[Scores], shots: int) -> Iterator[Row]:
    draws = [each for each in measured if each.shots == shots]
    for method in draws[0].scores:
        found = [image_metrics(each.scores[method], each.abnormal) for each in draws]
        yield Row(shots, method, "image AUROC", Estimate.of([each.auroc for each in found]))
        yield Row(shots, method, "image AP", Estimate.of([each.ap for each in found]))
        yield Row(shots, method, "image F1max", Estimate.of([each.f1max for each in found]))
    for method in draws[0].pixels:
        pixels = [each.pixels[method] for each in draws]
        yield Row(shots, method, "pixel AUROC", Estimate.of([each.auroc for each in pixels]))
        yield Row(shots, method, "pixel AP", Estimate.of([each.ap for each in pixels]))
        yield Row(shots, method, "AUPRO", Estimate.of([each.aupro for each in pixels]))
        yield Row(shots, method, "best Dice", Estimate.of([each.best_dice for each in pixels]))
        for name in pixels[0].dice:
            yield Row(shots, method, f"Dice at {name}", Estimate.of([each.dice[name] for each in pixels]))
