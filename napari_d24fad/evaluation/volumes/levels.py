"""From a map to what a reader is told, for methods that have no levels of their own.

The level is the median over the references of the value that one voxel in a thousand exceeds. A
region is listed if its mass, the sum of (value - level) over its volume, is larger than all but as
many regions of the references as there are references: one false region per normal scan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.detection.references.calibration import conformal_p
from napari_d24fad.evaluation.volumes.anatomy import scan_mask
from napari_d24fad.metrics.volumes import Examined, FloatArray

SMALLEST_MM3 = 50.0
"""Smaller regions are not listed."""

_RARE = 0.999
_TOP_MM3 = 1000.0


@dataclass(frozen=True, slots=True)
class Levels:
    """What the references show in maps of their own.

    Attributes:
        level: Regions are at or above it.
        mass: Regions of more mass are listed.
        scores: ``(references,)`` their scores.
    """

    level: float
    mass: float
    scores: npt.NDArray[np.float64]

    @classmethod
    def learn(cls, maps: Sequence[tuple[FloatArray, float]]) -> Levels:
        """Learns the levels.

        Args:
            maps: Of each reference, held against the others if the method compares: the map,
                NaN outside the anatomy, and the volume of a voxel in mm3.
        """
        level = float(np.median([np.nanquantile(values, _RARE) for values, _ in maps]))
        masses = sorted(
            (mass for values, voxel in maps for mass in _regions(values, level, voxel)[1]), reverse=True
        )
        told = masses[len(maps)] if len(masses) > len(maps) else 0.0
        return cls(level, told, np.array([scan_score(values, voxel) for values, voxel in maps]))

    def examined(self, values: FloatArray, anatomy: Anatomy) -> Examined:
        """Draws the conclusions from the map of a query.

        Args:
            values: The map on the working grid; NaN outside the anatomy.
            anatomy: Of the query.
        """
        grid = anatomy.grid
        labels, masses = _regions(values, self.level, grid.voxel_mm3)
        n_told = sum(mass > self.mass for mass in masses)
        score = scan_score(values, grid.voxel_mm3)
        axes = tuple(axis for axis in range(3) if axis != grid.slice_axis)
        highest = np.max(np.where(np.isnan(values), -np.inf, values), axis=axes)
        every = grid.expand(labels)
        return Examined(
            values=grid.expand(values),
            score=score,
            slice_scores=grid.scan_slices(np.where(np.isfinite(highest), highest, np.nan).astype(np.float32)),
            coloured=(every > 0) & (every <= n_told),
            labels=every,
            masses=masses,
            n_told=n_told,
            p_value=conformal_p(score, self.scores),
            anatomy=scan_mask(anatomy),
        )


def scan_score(values: FloatArray, voxel_mm3: float) -> float:
    """Returns the mean of the highest millilitre of a map."""
    known = values[~np.isnan(values)]
    count = min(len(known), max(1, round(_TOP_MM3 / voxel_mm3)))
    return float(np.partition(known, -count)[-count:].mean())


def _regions(
    values: FloatArray, level: float, voxel_mm3: float
) -> tuple[npt.NDArray[np.int32], tuple[float, ...]]:
    """Numbers the connected parts at or above a level by their mass, highest first."""
    labels, count = ndimage.label(values >= level)  # False for NaN
    numbers = np.arange(1, count + 1)
    voxels = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    above = np.where(labels > 0, values - level, 0)
    masses = np.bincount(labels.ravel(), above.ravel(), minlength=count + 1)[1:] * voxel_mm3
    large = numbers[voxels * voxel_mm3 >= SMALLEST_MM3]
    order = large[np.argsort(-masses[large - 1], kind="stable")]
    renumbered = np.zeros(count + 1, np.int32)
    renumbered[order] = np.arange(1, len(order) + 1)
    return renumbered[labels], tuple(masses[order - 1].tolist())
