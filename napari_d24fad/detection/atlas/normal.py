"""What normal maps look like: each reference's, when it is left out and held against the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.detection.atlas.statistics import slice_scores
from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.detection.references.calibration import (
    Calibration,
    LeftOutMaps,
    calibrate,
    conformal_slice_p,
)


@dataclass(frozen=True, slots=True, eq=False)
class NormalMaps:
    """The maps of references left out one at a time, as far as queries are held against them.

    Attributes:
        calibration: Which map values normal scans show, and how often.
        slice_scores: Of each reference, ``(slices of its working grid,)``; NaN without anatomy.
        slice_places: Of each, where these slices lie in the common space, in mm along their normal.
    """

    calibration: Calibration = field(repr=False)
    slice_scores: tuple[FloatArray, ...] = field(repr=False)
    slice_places: tuple[FloatArray, ...] = field(repr=False)

    @classmethod
    def of(
        cls, maps: Sequence[FloatArray], volumes: Sequence[WorkingVolume], slice_mm2: float, level: float
    ) -> NormalMaps:
        """Learns from the maps.

        Args:
            maps: Of each reference left out, on its working grid; NaN outside the anatomy.
            volumes: Of each.
            slice_mm2: See `Plan.slice_mm2`.
            level: From which on regions are drawn.
        """
        # Calibration takes the logarithm of map values as normal over scans. These maps are standard
        # scores, which are normal themselves: their exponential is what it expects.
        values = [np.exp(found[np.isfinite(found)]) for found in maps]
        inside = [
            LeftOutMaps(one[np.newaxis, np.newaxis], np.ones((1, 1, one.size), bool), np.zeros(1))
            for one in values
        ]
        found = calibrate(inside, level_one_region=level)
        calibration = Calibration(
            np.log(found.values), found.tail, level, np.log(found.peaks).astype(np.float32)
        )
        scores = tuple(
            slice_scores(each, volume.anatomy.grid, slice_mm2)
            for each, volume in zip(maps, volumes, strict=True)
        )
        return cls(calibration, scores, tuple(slice_places(volume) for volume in volumes))

    def slice_p_values(self, scores: FloatArray, places: FloatArray) -> FloatArray:
        """Ranks each slice of a query among the reference slices nearest to its place.

        Args:
            scores: ``(n,)``; NaN without anatomy.
            places: ``(n,)``, of `slice_places`.

        Returns:
            ``(n,)``; NaN without anatomy.
        """
        known = np.isfinite(scores)
        found = np.full(len(scores), np.nan, np.float32)
        if known.any():
            usable = [np.isfinite(own) for own in self.slice_scores]
            normal = [own[use] for own, use in zip(self.slice_scores, usable, strict=True)]
            at = [own[use].astype(np.float64) for own, use in zip(self.slice_places, usable, strict=True)]
            found[known] = conformal_slice_p(scores[known], places[known].astype(np.float64), normal, at)
        return found


def slice_places(volume: WorkingVolume) -> FloatArray:
    """Returns where the slices of a scan lie in the common space, in mm along their normal.

    Returns:
        One per index along the slice axis of the working grid; NaN without anatomy.
    """
    axis = volume.anatomy.grid.slice_axis
    mask = np.moveaxis(volume.anatomy.mask, axis, 0)
    heights = np.moveaxis(volume.place.coordinates[axis], axis, 0)
    # On one line through all slices: in a head that nods, the mean over each would not rise evenly.
    _, row, column = np.rint(np.argwhere(mask).mean(axis=0)).astype(int)
    line = heights[:, row, column]
    return np.where(mask.any(axis=(1, 2)), line, np.nan).astype(np.float32)
