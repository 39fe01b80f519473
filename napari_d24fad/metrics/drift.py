"""Whether scores of scans drift: along time, at one time, or between groups. By ranks and permutations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

FloatArray = npt.NDArray[np.float64]
DRAWS = 999
"""Permutations; so the lowest p-value is 0.001."""

LEAST = 8
"""Fewer scans tell nothing of drift."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How scores change along time.

    Attributes:
        scans: How many scans.
        periods: How many different times they are from.
        trend: Spearman's rank correlation of score and time, -1 to 1.
        trend_p: By permutation, of a correlation as strong in either direction.
        step_at: The first time after the largest change of level (CUSUM of ranks).
        step: Median score from then on, less the median before.
        step_p: By permutation, of a change as large.
    """

    scans: int
    periods: int
    trend: float
    trend_p: float
    step_at: float
    step: float
    step_p: float


def drift_along(
    scores: npt.ArrayLike, times: npt.ArrayLike, draws: int = DRAWS, seed: int = 0
) -> Drift | None:
    """Looks for a trend and for one step in scores along time.

    Args:
        scores: ``(n,)``; scans without a score are left out.
        times: ``(n,)`` in any unit; scans without one (NaN) are left out. Equal times are one period.
        draws: How many permutations.
        seed: Of the permutations.

    Returns:
        What was found; None for fewer than `LEAST` scans, or a single period.
    """
    values, when = np.asarray(scores, np.float64), np.asarray(times, np.float64)
    known = np.isfinite(values) & np.isfinite(when)
    values, when = values[known], when[known]
    periods, place = np.unique(when, return_inverse=True)
    if len(values) < LEAST or len(periods) < 2:
        return None
    ranks, time_ranks = _standard(rankdata(values)), _standard(rankdata(when))
    counts = np.bincount(place)

    def trend(order: FloatArray) -> float:
        return float(order @ time_ranks) / len(order)

    def level(order: FloatArray) -> FloatArray:
        """Returns how far the ranks up to the end of each period are from what chance gives."""
        return np.asarray(np.cumsum(np.bincount(place, weights=order, minlength=len(counts)))[:-1])

    def step(order: FloatArray) -> float:
        return float(np.abs(level(order)).max())

    found, changed = abs(trend(ranks)), step(ranks)
    trend_p = _share(ranks, lambda order: abs(trend(order)) >= found - 1e-12, draws, seed)
    step_p = _share(ranks, lambda order: step(order) >= changed - 1e-9, draws, seed)
    first = int(np.abs(level(ranks)).argmax()) + 1
    late = place >= first
    size = float(np.median(values[late]) - np.median(values[~late]))
    return Drift(len(values), len(periods), trend(ranks), trend_p, float(periods[first]), size, step_p)


def groups_differ(
    scores: npt.ArrayLike, groups: npt.NDArray[np.int64], draws: int = DRAWS, seed: int = 0
) -> float:
    """Returns the p-value, by permutation, of groups whose scores differ in level (Kruskal-Wallis).

    Args:
        scores: ``(n,)``, finite.
        groups: ``(n,)`` numbers from 0, each of which occurs.
        draws: How many permutations.
        seed: Of the permutations.

    Returns:
        1 for fewer than `LEAST` scans, or a single group.
    """
    values = np.asarray(scores, np.float64)
    counts = np.bincount(groups)
    if len(values) < LEAST or len(counts) < 2:
        return 1.0
    ranks = _standard(rankdata(values))

    def spread(order: FloatArray) -> float:
        return float((np.bincount(groups, weights=order) ** 2 / counts).sum())

    found = spread(ranks)
    return _share(ranks, lambda order: spread(order) >= found - 1e-9, draws, seed)


def _standard(ranks: FloatArray) -> FloatArray:
    centred = ranks - ranks.mean()
    spread = centred.std()
    return np.asarray(centred / spread if spread else centred)


def _share(ranks: FloatArray, reached: Callable[[FloatArray], bool], draws: int, seed: int) -> float:
    random = np.random.default_rng(seed)
    order = ranks.copy()
    count = 0
    for _ in range(draws):
        random.shuffle(order)
        count += reached(order)
    return (1 + count) / (1 + draws)
