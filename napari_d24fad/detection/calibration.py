"""What map values and scores mean: p-values from the references, each examined against the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

FloatArray = npt.NDArray[np.float32]

RATES = (0.01, 0.05)
"""Pixel false-positive rates whose levels every result carries."""

MIN_REGION = 0.001
"""Smaller regions are not counted or listed: share of the network input, 16 of 128 x 128 pixels."""

_TAILS = np.logspace(0, -5, 251)


@dataclass(frozen=True, slots=True, eq=False)
class LeftOutMaps:
    """The maps of one reference, examined against the others as a query would be.

    Attributes:
        maps: ``(slices, side, side)`` float32, smoothed.
        inside: ``(side, side)`` bool, the pixels that show the scan and not padding.
        levels: ``(slices,)`` position of each slice within the anatomy, 0 to 1.
    """

    maps: FloatArray = field(repr=False)
    inside: npt.NDArray[np.bool_] = field(repr=False)
    levels: npt.NDArray[np.float64] = field(repr=False)

    def values(self) -> FloatArray:
        """Returns the values inside, flat."""
        return self.maps[:, self.inside].ravel()


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Which map values normal scans show, and how often.

    Attributes:
        values: ``(n,)`` map values, ascending.
        tail: ``(n,)`` share of a normal scan's pixels at or above each value, descending.
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
            The same shape; never below the smallest share the references can show.
        """
        logs: npt.NDArray[np.float64] = np.interp(values, self.values, np.log(self.tail))
        return np.exp(logs).astype(np.float32)

    def level(self, rate: float) -> float:
        """Returns the map value that a share ``rate`` of a normal scan's pixels reaches."""
        return float(np.interp(-np.log(rate), -np.log(self.tail), self.values))


def calibrate(left_out: Sequence[LeftOutMaps]) -> Calibration:
    """Pools the maps of the references.

    Assumed: a normal query is exchangeable with the references. Each reference counts the
    same, and all positions are pooled, since eight values per position say nothing about 1 %.

    Args:
        left_out: Of each reference.
    """
    values = np.concatenate([each.values() for each in left_out])
    levels = np.quantile(values, 1 - _TAILS).astype(np.float64)
    peaks = np.array([each.values().max() for each in left_out], np.float32)
    return Calibration(levels, _TAILS, _one_region_level(left_out, levels), peaks)


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
    normal: FloatArray,
    normal_levels: Sequence[npt.NDArray[np.float64]],
) -> FloatArray:
    """Ranks each slice among the reference slices nearest to its level, one of each reference.

    Assumed: at one level of the anatomy, query and references are exchangeable. Each
    value holds for its slice alone; it is not corrected for the number of slices.

    Args:
        scores: ``(n,)`` of the query's slices.
        levels: ``(n,)`` their levels.
        normal: ``(references, slices)`` scores of reference slices.
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


def _one_region_level(left_out: Sequence[LeftOutMaps], levels: npt.NDArray[np.float64]) -> float:
    masked = [np.where(each.inside, each.maps, -np.inf).astype(np.float32) for each in left_out]
    lowest = float(levels[-1])
    # From the top down: far below, everything is one region again.
    for level in levels[::-1]:
        if sum(count_regions(maps, float(level)) for maps in masked) > len(masked):
            break
        lowest = float(level)
    return lowest
