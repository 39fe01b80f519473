"""Voxel AUROC and average precision over many scans, without keeping their maps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_d24fad.metrics.bins import ordered_bins

_BITS = 18
_NOT_EXAMINED = 0


class VoxelCounts:
    """Counts map values of normal and of lesion voxels inside the anatomy.

    Values are counted in bins of one part in 512, within which their order is lost: such pairs count
    as half right. On smooth maps this moves the AUROC by less than 0.001 (tested).

    Lesions may be told apart by a group, such as their kind; the normal voxels are the same for all.
    """

    def __init__(self) -> None:
        self._normal = np.zeros(2**_BITS, np.int64)
        self._lesion: dict[str, npt.NDArray[np.int64]] = {}

    def add(
        self,
        values: npt.NDArray[np.floating],
        lesion: npt.NDArray[np.bool_] | None,
        anatomy: npt.NDArray[np.bool_],
        group: str = "",
    ) -> None:
        """Counts one scan.

        Args:
            values: ``(slices, rows, columns)``; NaN where not examined counts as the least abnormal.
            lesion: Outline on the same grid; None for a normal scan.
            anatomy: Which voxels count. Lesion outside it counts as not examined, since a mask
                that loses the lesion must cost something.
            group: What the lesion is counted as.
        """
        counted = anatomy if lesion is None else anatomy & ~lesion
        self._normal += np.bincount(ordered_bins(values[counted], _BITS), minlength=2**_BITS)
        if lesion is None:
            return
        bins = ordered_bins(values[lesion & anatomy], _BITS)
        found = np.bincount(bins, minlength=2**_BITS)
        found[_NOT_EXAMINED] += np.count_nonzero(lesion & ~anatomy)
        self._lesion[group] = self._lesion.get(group, 0) + found

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of lesions that were added, in their order."""
        return tuple(self._lesion)

    def auroc(self, *groups: str) -> float:
        """Area under the ROC curve of the voxels of some groups, or of all; NaN without lesion voxels."""
        true, false = self._curve(groups)
        if true[-1] == 0 or false[-1] == 0:
            return float("nan")
        return float(np.trapezoid(true / true[-1], false / false[-1]))

    def average_precision(self, *groups: str) -> float:
        """Average precision of the voxels; by chance it is the share of lesion voxels."""
        true, false = self._curve(groups)
        if true[-1] == 0:
            return float("nan")
        gained = np.diff(true) / true[-1]
        return float(np.sum(gained * true[1:] / (true[1:] + false[1:])))

    def _curve(self, groups: tuple[str, ...]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Lesion and normal voxels at or above each level, from the highest down, starting with none."""
        lesion = np.zeros(2**_BITS, np.int64)
        for group in groups or self.groups:
            lesion += self._lesion[group]
        used = np.flatnonzero(self._normal + lesion)[::-1]
        true = np.concatenate([[0.0], np.cumsum(lesion[used], dtype=np.float64)])
        false = np.concatenate([[0.0], np.cumsum(self._normal[used], dtype=np.float64)])
        return true, false
