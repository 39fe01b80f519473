"""How well a map outlines lesions, over all pixels of many scans, without keeping the maps.

Map values are counted in fine bins, so that the memory does not depend on the
number of pixels. The order of two values is lost only where they differ by less than one part
in 8,000. A pixel that was not examined counts as the least abnormal there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.metrics.bins import ordered_bins

_KEPT_BITS = 22
MAX_FPR = 0.3
"""AUPRO is taken up to this false-positive rate (Bergmann et al. 2021, MVTec AD)."""

_EVERY_NEIGHBOUR = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, slots=True)
class PixelMetrics:
    """Metrics of map values against outlines, pooled over all pixels of a set of scans.

    Attributes:
        auroc: Area under the ROC curve of the pixels.
        ap: Average precision; by chance it is the share of lesion pixels.
        aupro: Mean overlap with each lesion, as a function of the false-positive rate, averaged
            up to a rate of `MAX_FPR`.
        best_dice: Highest Dice over all thresholds; the threshold is chosen on the
            same scans, so it is what could be reached at best.
        dice: Dice at each threshold that was asked for, by name.
    """

    auroc: float
    ap: float
    aupro: float
    best_dice: float
    dice: dict[str, float]


class PixelCounts:
    """Collects map values of normal and lesion pixels.

    Args:
        thresholds: By name, values at which Dice is wanted.
    """

    def __init__(self, thresholds: dict[str, float]) -> None:
        self._thresholds = thresholds
        self._normal = np.zeros(2**_KEPT_BITS)
        self._lesion = np.zeros(2**_KEPT_BITS)
        self._overlap = np.zeros(2**_KEPT_BITS)
        self._n_regions = 0
        self._hits = {name: np.zeros(2) for name in thresholds}

    def add(self, values: npt.NDArray[np.float32], lesion: npt.NDArray[np.bool_] | None) -> None:
        """Counts one scan.

        Args:
            values: ``(slices, rows, columns)``, NaN where not examined.
            lesion: The outline on the same grid; None for a normal scan.
        """
        bins = ordered_bins(values, _KEPT_BITS)
        outlined = np.zeros(values.shape, bool) if lesion is None else lesion
        np.add.at(self._normal, bins[~outlined], 1)
        for name, threshold in self._thresholds.items():
            found = values >= threshold  # False for NaN
            self._hits[name] += (np.sum(found & outlined), np.sum(found))
        if lesion is None:
            return
        regions, count = ndimage.label(outlined, _EVERY_NEIGHBOUR)
        sizes = np.bincount(regions.ravel())
        own = bins[outlined]
        np.add.at(self._lesion, own, 1)
        np.add.at(self._overlap, own, 1 / sizes[regions[outlined]])
        self._n_regions += count

    def metrics(self) -> PixelMetrics:
        """Computes the metrics; both normal and lesion pixels were added."""
        # From the highest value downwards: what is found when the threshold is lowered.
        used = np.flatnonzero(self._normal + self._lesion)[::-1]
        false = np.concatenate([[0], self._normal[used].cumsum()])
        true = np.concatenate([[0], self._lesion[used].cumsum()])
        overlap = np.concatenate([[0], self._overlap[used].cumsum()]) / self._n_regions
        fpr, n_lesion = false / false[-1], true[-1]
        precision = true[1:] / (true[1:] + false[1:])
        return PixelMetrics(
            auroc=float(np.trapezoid(true / n_lesion, fpr)),
            ap=float(np.sum(np.diff(true) / n_lesion * precision)),
            aupro=_area_up_to(fpr, overlap, MAX_FPR) / MAX_FPR,
            best_dice=float((2 * true / (true + false + n_lesion)).max()),
            dice={name: float(2 * hit / (found + n_lesion)) for name, (hit, found) in self._hits.items()},
        )


def _area_up_to(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], limit: float) -> float:
    """Area under a curve from 0 to ``limit``; ``x`` does not fall."""
    inside = x <= limit
    # The last point on the limit itself lies between two measured ones.
    return float(np.trapezoid(np.append(y[inside], np.interp(limit, x, y)), np.append(x[inside], limit)))
