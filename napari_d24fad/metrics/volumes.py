"""What the map of one volume tells: what was found of its lesion, and what was found beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree
from sklearn.metrics import roc_auc_score

from napari_d24fad.metrics.peaks import Peaks, find_peaks

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]
Spacing = tuple[float, float, float]

TOUCHING_MM = 2.0
"""A peak this near to a lesion is in it: outlines and maps are no more exact."""

LEAST_LESION_ML = 0.1
"""Smaller connected lesions are not counted one by one."""

NOTHING = float("-inf")
"""The level at which a lesion is found that no peak or region touches."""

_EVERY_NEIGHBOUR = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """What a method says of one scan; arrays of voxels are on the grid of the scan.

    Attributes:
        values: The map, higher is more abnormal; NaN where not examined.
        score: Of the scan.
        slice_scores: ``(n_slices,)`` along the slice axis of the scan; NaN where not examined.
        coloured: What the reader sees coloured, at the level of one false region per normal scan.
        labels: Number of the region of each voxel, 0 for none; regions are numbered from 1, the
            highest-ranked first.
        masses: What each region is ranked by; comparable between scans held against the same
            references.
        n_told: How many of the regions, the first ones, are listed at that level.
        p_value: Conformal p-value of the scan; NaN if there is none.
        anatomy: What the method takes for anatomy; None if it does not say.
    """

    values: FloatArray = field(repr=False)
    score: float
    slice_scores: FloatArray = field(repr=False)
    coloured: BoolArray = field(repr=False)
    labels: npt.NDArray[np.integer] = field(repr=False)
    masses: tuple[float, ...]
    n_told: int
    p_value: float = float("nan")
    anatomy: BoolArray | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LesionFound:
    """What a map tells of an outlined lesion.

    Attributes:
        by_peak: Value of the highest peak in any lesion; `NOTHING` if there is none.
        by_region: Mass of the highest-ranked region that overlaps any lesion.
        each_by_peak: As `by_peak` for each connected lesion of at least `LEAST_LESION_ML`.
        each_by_region: As `by_region` for each of them.
        first_peak: Whether the highest peak of the scan is in the lesion.
        first_region: Whether the highest-ranked region overlaps the lesion.
        slice_auroc: How well slice scores tell slices with lesion from others; NaN if all or none have it.
        first_slice: Whether the slice with the highest score holds lesion.
        slices: Share of the slices that hold lesion: what a slice named by chance would reach.
        dice: Dice of what is coloured with the lesion.
        inside: Share of the lesion that lies in what the method takes for anatomy, or where it does
            not say in the anatomy.
    """

    by_peak: float
    by_region: float
    each_by_peak: tuple[float, ...]
    each_by_region: tuple[float, ...]
    first_peak: bool
    first_region: bool
    slice_auroc: float
    first_slice: bool
    slices: float
    dice: float
    inside: float


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one map tells of one scan.

    Attributes:
        peaks: ``(n,)`` values of its peaks, highest first.
        masses: Of all its regions, highest first.
        n_told: Regions listed at the method's own level.
        coloured: Number of voxels that are coloured.
        coloured_outside: Of these, those that are neither anatomy nor lesion.
        lesion: None if no lesion is outlined.
    """

    peaks: npt.NDArray[np.float64] = field(repr=False)
    masses: tuple[float, ...]
    n_told: int
    coloured: int
    coloured_outside: int
    lesion: LesionFound | None = None


def measure_volume(
    examined: Examined, spacing: Spacing, slice_axis: int, lesion: BoolArray | None, anatomy: BoolArray
) -> Found:
    """Holds the map of a scan against the outline of its lesion.

    Args:
        examined: What a method says of the scan.
        spacing: Distance of neighbouring voxels along each axis in mm.
        slice_axis: The axis that slices are stacked along.
        lesion: Outline with at least one voxel; None for a scan without.
        anatomy: What of the grid is anatomy, whatever the method takes for it.
    """
    peaks = find_peaks(examined.values, spacing)
    coloured = examined.coloured
    inside = anatomy if lesion is None else anatomy | lesion
    n_coloured = int(np.count_nonzero(coloured))
    return Found(
        peaks=peaks.values,
        masses=examined.masses,
        n_told=examined.n_told,
        coloured=n_coloured,
        coloured_outside=n_coloured - int(np.count_nonzero(coloured & inside)),
        lesion=None if lesion is None else _lesion(examined, peaks, spacing, slice_axis, lesion, anatomy),
    )


def _lesion(
    examined: Examined,
    peaks: Peaks,
    spacing: Spacing,
    slice_axis: int,
    lesion: BoolArray,
    anatomy: BoolArray,
) -> LesionFound:
    parts, _ = ndimage.label(lesion, _EVERY_NEIGHBOUR)
    part = parts[lesion]
    large = np.flatnonzero(np.bincount(part) * np.prod(spacing) >= 1000 * LEAST_LESION_ML).tolist()
    # For each peak, and for each region, the parts of the lesion that it touches.
    tree = cKDTree(np.argwhere(lesion) * np.asarray(spacing))
    near = tree.query_ball_point(peaks.places * np.asarray(spacing), TOUCHING_MM)
    by_peak = [frozenset(part[list(each)].tolist()) for each in near]
    region = examined.labels[lesion]
    by_region = [frozenset(part[region == number].tolist()) for number in range(1, len(examined.masses) + 1)]
    slice_auroc, first_slice, share = _slices(examined.slice_scores, slice_axis, lesion)
    n_lesion = int(np.count_nonzero(lesion))
    own = anatomy if examined.anatomy is None else examined.anatomy
    overlap = float(np.count_nonzero(examined.coloured & lesion))
    return LesionFound(
        by_peak=_highest(peaks.values.tolist(), by_peak),
        by_region=_highest(examined.masses, by_region),
        each_by_peak=tuple(_highest(peaks.values.tolist(), by_peak, number) for number in large),
        each_by_region=tuple(_highest(examined.masses, by_region, number) for number in large),
        first_peak=bool(by_peak and by_peak[0]),
        first_region=bool(by_region and by_region[0]),
        slice_auroc=slice_auroc,
        first_slice=first_slice,
        slices=share,
        dice=2 * overlap / (n_lesion + int(np.count_nonzero(examined.coloured))),
        inside=float(np.count_nonzero(lesion & own)) / n_lesion,
    )


def _highest(
    values: tuple[float, ...] | list[float], touched: list[frozenset[int]], part: int | None = None
) -> float:
    """Highest value that touches a part of the lesion, or any part."""
    held = [
        value
        for value, parts in zip(values, touched, strict=True)
        if (parts if part is None else part in parts)
    ]
    return float(max(held, default=NOTHING))


def _slices(slice_scores: FloatArray, slice_axis: int, lesion: BoolArray) -> tuple[float, bool, float]:
    """AUROC of the slices, whether the highest holds lesion, and the share of slices that do."""
    axes = tuple(axis for axis in range(3) if axis != slice_axis)
    holds = np.asarray(lesion.any(axis=axes))
    scores = np.where(np.isnan(slice_scores), -np.inf, slice_scores)
    share = float(holds.mean())
    first = bool(np.isfinite(scores).any() and holds[scores.argmax()])
    if share == 1:
        return float("nan"), first, share
    ranks = np.unique(scores, return_inverse=True)[1]  # scikit-learn refuses infinite scores
    return float(roc_auc_score(holds, ranks)), first, share
