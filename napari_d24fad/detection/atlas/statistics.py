"""Scores and levels of a map, in millilitres and not in voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.grid import BoolArray, FloatArray, WorkingGrid
from napari_d24fad.detection.atlas.examination import FALSE_REGIONS, Levels
from napari_d24fad.detection.channels.smoothing import MaskedGaussian


class ScanScore:
    """Mean of the highest voxels of a volume, of maps of one scan; of all, if the anatomy is smaller.

    Args:
        known: Where the maps are finite: inside the anatomy.
        grid: Their grid.
        volume_mm3: How much is averaged.
        sigma_mm: See `Plan.score_sigma_mm`.
    """

    def __init__(self, known: BoolArray, grid: WorkingGrid, volume_mm3: float, sigma_mm: float = 0.0) -> None:
        self._count = volume_mm3 / grid.voxel_mm3
        sigma = (sigma_mm, sigma_mm, sigma_mm)
        self._smooth = MaskedGaussian(known, sigma, grid.spacing) if sigma_mm else None

    def of(self, fused: FloatArray) -> float:
        """Returns the score of a map."""
        if self._smooth is not None:
            fused = np.float32(0.5) * (fused + self._smooth(fused))
        return _mean_of_highest(fused[np.isfinite(fused)], self._count)


def slice_scores(fused: FloatArray, grid: WorkingGrid, area_mm2: float) -> FloatArray:
    """Returns the mean of the highest voxels of an area in each slice of the working grid.

    Returns:
        One per index along the slice axis of the grid; NaN where there is no anatomy.
    """
    planes = np.moveaxis(fused, grid.slice_axis, 0)
    pixel = grid.voxel_mm3 / grid.spacing[grid.slice_axis]
    scores = [_mean_of_highest(plane[np.isfinite(plane)], area_mm2 / pixel) for plane in planes]
    return np.array(scores, np.float32)


def _mean_of_highest(values: FloatArray, number: float) -> float:
    count = min(values.size, max(1, round(number)))
    if not values.size:
        return float("nan")
    return float(np.partition(values, -count)[-count:].mean())


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The connected parts of a map at or above a level, largest mass first.

    Attributes:
        labels: int32 on the working grid: number of the part from 1, 0 for none.
        masses: Of each part: sum of (map - level) in mm3.
    """

    labels: npt.NDArray[np.int32] = field(repr=False)
    masses: tuple[float, ...]


def components(fused: FloatArray, grid: WorkingGrid, level: float, smallest_mm3: float) -> Components:
    """Finds the connected parts of a map; voxels belong together that share a face."""
    reached = np.nan_to_num(fused, nan=-np.inf) >= level
    labels, number = ndimage.label(reached)
    if not number:
        return Components(np.zeros(fused.shape, np.int32), ())
    flat = labels[reached]
    sizes = np.bincount(flat, minlength=number + 1) * grid.voxel_mm3
    masses = np.bincount(flat, fused[reached] - level, minlength=number + 1) * grid.voxel_mm3
    kept = [part for part in np.argsort(-masses, kind="stable") if part > 0 and sizes[part] >= smallest_mm3]
    renumbered = np.zeros(number + 1, np.int32)
    renumbered[kept] = np.arange(1, len(kept) + 1)
    return Components(renumbered[labels], tuple(float(masses[part]) for part in kept))


def learn_levels(
    left_out: Sequence[FloatArray], grids: Sequence[WorkingGrid], share: float, smallest_mm3: float
) -> tuple[Levels, tuple[float, ...]]:
    """Learns from references left out where a map begins to mean something.

    Args:
        left_out: Fused map of each reference.
        grids: Of each.
        share: Share of its anatomy that the median reference has above the level.
        smallest_mm3: Smallest region that counts.

    Returns:
        The levels, and the masses of all regions of all references, highest first.
    """
    level = float(np.median([np.quantile(found[np.isfinite(found)], 1 - share) for found in left_out]))
    masses: list[float] = []
    for found, grid in zip(left_out, grids, strict=True):
        masses += components(found, grid, level, smallest_mm3).masses
    masses.sort(reverse=True)
    limits, reached = [], []
    for rate in FALSE_REGIONS:
        allowed = round(rate * len(left_out))
        # Listed is what has more mass than all but the allowed number of normal regions.
        enough = allowed < len(masses)
        limits.append(float(np.nextafter(masses[allowed], np.inf)) if enough else 0.0)
        reached.append(enough and allowed >= 1)
    return Levels(level, smallest_mm3, tuple(limits), tuple(reached)), tuple(masses)
