"""What map values and scores mean: p-values from the references, each examined against the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special

FloatArray = npt.NDArray[np.float32]

RATES = (0.01, 0.05)
"""Pixel false-positive rates whose levels every result carries."""

MIN_REGION = 0.001
"""Smaller regions are not counted or listed: share of the network input, 16 of 128 x 128 pixels."""

_RANKS = (np.arange(200) + 0.5) / 200
_LOWEST_TAIL = 1e-5
_GRID = 200
_LEVELS = 64
_LEAST_SPREAD = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class LeftOutMaps:
    """The maps of one reference, examined against the others as a query would be.

    Attributes:
        maps: ``(slices, side, side)`` float32, smoothed.
        inside: ``(slices, side, side)`` bool, the pixels that show anatomy and not padding.
        levels: ``(slices,)`` position of each slice within the anatomy, 0 to 1.
    """

    maps: FloatArray = field(repr=False)
    inside: npt.NDArray[np.bool_] = field(repr=False)
    levels: npt.NDArray[np.float64] = field(repr=False)

    def values(self) -> FloatArray:
        """Returns the values inside, flat."""
        return self.maps[self.inside]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Which map values normal scans show, and how often.

    Attributes:
        values: ``(n,)`` map values, ascending.
        tail: ``(n,)`` expected share of a normal scan's pixels at or above each value, descending.
        level_one_region: Lowest level above which a normal scan shows at most one region on average.
        peaks: ``(references,)`` highest value of each reference against the others.
    """

    values: npt.NDArray[np.float64] = field(repr=False)
    tail: npt.NDArray[np.float64] = field(repr=False)
    level_one_region: float
    peaks: FloatArray = field(repr=False)

    def p_values(self, values: FloatArray) -> FloatArray:
        """Returns how likely a pixel of a normal scan is to reach each value.

        Args:
            values: Any shape; NaN stays NaN.

        Returns:
            The same shape; never below 1e-5.
        """
        logs: npt.NDArray[np.float64] = np.interp(values, self.values, np.log(self.tail))
        return np.exp(logs).astype(np.float32)

    def level(self, rate: float) -> float:
        """Returns the map value that a share ``rate`` of a normal scan's pixels reaches."""
        return float(np.interp(-np.log(rate), -np.log(self.tail), self.values))


def calibrate(
    left_out: Sequence[LeftOutMaps], one_more: float = 1.0, level_one_region: float | None = None
) -> Calibration:
    """Predicts the map values of a further normal scan from those of the references.

    The share of its pixels at or above a value is the mean of two predictions:

    - *scans vary*: for each rank within a scan (the value that 1 % of its pixels exceed, 2 %, ...)
      the logarithm of the value is taken as normal over scans, and Student's t predicts it for the
      next: mean ``m``, deviation ``s sqrt(1 + 1/K)``, ``K - 1`` degrees of freedom (Geisser,
      Predictive Inference, 1993); these probabilities are averaged over the ranks;
    - *pooled*: the share among all pixels of all references.

    Pixels of one scan rise and fall together, so eight references are eight observations: pooled
    pixels promise too much. Scans vary less in the tail than a log-normal does: the first alone
    promises too little. docs/history/images.md has the measurements that decided for their mean.

    Assumed: a normal query is exchangeable with the references. All positions are pooled,
    since a handful of values per position says nothing about 1 %. Augmented views of a
    reference would add pixels, not scans, and are not used.

    Args:
        left_out: Of each reference; two or more.
        one_more: Factor on their values, since a query is compared with one reference more.
            Peaks stay as they are: as ranks they are valid without it, and a little conservative.
        level_one_region: Of the result, where it is known otherwise; None to find it, which takes longest.
    """
    ordered = [np.sort(one.values()) for one in left_out]
    each = [np.quantile(values, 1 - _RANKS) for values in ordered]
    logs = np.log(np.maximum(one_more * np.stack(each), 1e-9))
    middle = logs.mean(axis=0)
    spread = np.maximum(logs.std(axis=0, ddof=1), _LEAST_SPREAD) * np.sqrt(1 + 1 / len(logs))
    freedom = len(logs) - 1
    reach = -float(special.stdtrit(freedom, _LOWEST_TAIL))
    # Beyond a factor of e^6 nothing is ever found, however few the references.
    grid = np.linspace(
        (middle - 6 * spread).min(), min((middle + reach * spread).max(), middle.max() + 6), _GRID
    )
    varying = special.stdtr(freedom, (middle - grid[:, None]) / spread).mean(axis=1)
    # Of all pixels: beyond the highest rank, quantiles would know of none.
    reached = np.exp(grid) / one_more
    pooled = np.mean([1 - np.searchsorted(values, reached) / len(values) for values in ordered], axis=0)
    tail = np.maximum((varying + pooled) / 2, _LOWEST_TAIL)
    peaks = np.array([values[-1] for values in ordered], np.float32)
    if level_one_region is None:
        level_one_region = _one_region_level(left_out, peaks, each) * one_more
    return Calibration(np.exp(grid), tail, level_one_region, peaks)


def conformal_p(score: float, normal: npt.NDArray[np.floating]) -> float:
    """Rank of a score among those of normal scans, as a p-value.

    Valid if query and references are exchangeable: then it is at most ``p`` in a share
    ``p`` of normal scans, whatever the distribution. References are scored with one
    reference less than the query, which makes it a little larger, never smaller.

    Args:
        score: Of the query.
        normal: ``(K,)`` of the references, each against the others.

    Returns:
        ``(1 + number of references at or above the score) / (K + 1)``, so at least ``1 / (K + 1)``.
    """
    return float((1 + np.count_nonzero(normal >= score)) / (1 + len(normal)))


def conformal_slice_p(
    scores: FloatArray,
    levels: npt.NDArray[np.float64],
    normal: FloatArray | Sequence[FloatArray],
    normal_levels: Sequence[npt.NDArray[np.float64]],
) -> FloatArray:
    """Ranks each slice among the reference slices nearest to its level, one of each reference.

    Assumed: at one level of the anatomy, query and references are exchangeable. Each
    value holds for its slice alone; it is not corrected for the number of slices.

    Args:
        scores: ``(n,)`` of the query's slices.
        levels: ``(n,)`` their levels.
        normal: ``(references, slices)`` scores of reference slices, or of each as many as it has.
        normal_levels: For each reference, the levels of its slices.
    """
    chosen = [np.abs(own[:, None] - levels).argmin(axis=0) for own in normal_levels]
    reference = np.stack([row[at] for row, at in zip(normal, chosen, strict=True)])
    reached = np.count_nonzero(reference >= scores, axis=0)
    return np.asarray((1 + reached) / (1 + len(reference)), np.float32)


def count_regions(maps: FloatArray, level: float) -> int:
    """Counts face-connected regions at or above a level that are at least `MIN_REGION` large."""
    labels, count = ndimage.label(maps >= level)
    if count == 0:
        return 0
    sizes = np.bincount(labels.ravel())[1:]
    return int(np.count_nonzero(sizes >= MIN_REGION * maps[0].size))


def _one_region_level(
    left_out: Sequence[LeftOutMaps], peaks: FloatArray, quantiles: Sequence[npt.NDArray[np.floating]]
) -> float:
    masked = [np.where(each.inside, each.maps, -np.inf).astype(np.float32) for each in left_out]
    levels = np.linspace(peaks.max(), np.median([each[len(each) // 2] for each in quantiles]), _LEVELS)
    lowest = float(levels[0])
    # From the top down: far below, everything is one region again.
    for level in levels:
        if sum(count_regions(maps, float(level)) for maps in masked) > len(masked):
            break
        lowest = float(level)
    return lowest
