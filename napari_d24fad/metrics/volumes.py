"""What the map of one volume tells: what was found of its lesion, and what was found beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree
from sklearn.metrics import roc_auc_score

from napari_d24fad.metrics.peaks import Peaks, find_peaks

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]

TOUCHING_MM = 2.0
"""A peak this near to a lesion is in it: outlines and maps are no more exact."""

LEAST_LESION_ML = 0.1
"""Smaller connected lesions are not counted one by one."""

_EVERY_NEIGHBOUR = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """A map as it is measured; all arrays are on one grid.

    Attributes:
        values: ``(slices, rows, columns)``; NaN where not examined.
        spacing: Distance of neighbouring voxels along each axis in mm.
        slice_axis: The axis that slices are stacked along.
        slice_scores: ``(n_slices,)``; NaN where not examined.
        level: Voxels at or above it are coloured; NaN if the method has none.
        regions: Array index of one voxel of each region at that level, highest rank first.
    """

    values: FloatArray = field(repr=False)
    spacing: tuple[float, float, float]
    slice_axis: int
    slice_scores: FloatArray = field(repr=False)
    level: float
    regions: Sequence[tuple[int, int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one map tells of one scan; a figure that does not apply is NaN or empty.

    Attributes:
        peaks: ``(n,)`` values of its peaks, highest first.
        n_regions: Regions at the method's own level.
        coloured: Voxels at or above that level.
        coloured_outside: Of these, those that are neither anatomy nor lesion.
        lesion_at: Highest peak in any lesion; -inf if there is none.
        lesions_at: The same for each connected lesion of at least `LEAST_LESION_ML`.
        peak_in_lesion: Whether the highest peak of the scan is in the lesion.
        region_in_lesion: Whether the highest-ranked region overlaps the lesion.
        slice_auroc: How well slice scores tell slices with lesion from others; NaN if all or none have it.
        top_slice_in_lesion: Whether the slice with the highest score holds lesion.
        lesion_slices: Share of the slices that hold lesion: what a slice named by chance would reach.
        dice: Dice of the coloured voxels with the lesion.
        lesion_inside: Share of the lesion that lies in the anatomy.
    """

    peaks: npt.NDArray[np.float64] = field(repr=False)
    n_regions: int
    coloured: int
    coloured_outside: int
    lesion_at: float = float("nan")
    lesions_at: tuple[float, ...] = ()
    peak_in_lesion: bool = False
    region_in_lesion: bool = False
    slice_auroc: float = float("nan")
    top_slice_in_lesion: bool = False
    lesion_slices: float = float("nan")
    dice: float = float("nan")
    lesion_inside: float = float("nan")

    @property
    def has_lesion(self) -> bool:
        """Whether the scan has an outlined lesion, which the other figures are of."""
        return not np.isnan(self.lesion_at)


def measure_volume(examined: Examination, lesion: BoolArray | None, anatomy: BoolArray) -> Found:
    """Holds the map of a scan against the outline of its lesion.

    Args:
        examined: The map.
        lesion: Outline on the same grid with at least one voxel; None for a scan without.
        anatomy: What of the grid is anatomy.
    """
    peaks = find_peaks(examined.values, examined.spacing)
    with np.errstate(invalid="ignore"):
        coloured = examined.values >= examined.level  # False for NaN
    inside = anatomy if lesion is None else anatomy | lesion
    n_coloured = int(np.count_nonzero(coloured))
    outside = n_coloured - int(np.count_nonzero(coloured & inside))
    n_regions = len(examined.regions)
    if lesion is None:
        return Found(peaks.values, n_regions, n_coloured, outside)
    highest, each, first = _peaks_in(peaks, lesion, examined.spacing)
    slice_auroc, top_slice, share = _slices(examined, lesion)
    n_lesion = int(np.count_nonzero(lesion))
    return Found(
        peaks=peaks.values,
        n_regions=n_regions,
        coloured=n_coloured,
        coloured_outside=outside,
        lesion_at=highest,
        lesions_at=each,
        peak_in_lesion=first,
        region_in_lesion=n_regions > 0 and _overlaps(coloured, examined.regions[0], lesion),
        slice_auroc=slice_auroc,
        top_slice_in_lesion=top_slice,
        lesion_slices=share,
        dice=2 * float(np.count_nonzero(coloured & lesion)) / (n_coloured + n_lesion),
        lesion_inside=float(np.count_nonzero(lesion & anatomy)) / n_lesion,
    )


def _peaks_in(
    peaks: Peaks, lesion: BoolArray, spacing: tuple[float, float, float]
) -> tuple[float, tuple[float, ...], bool]:
    """Highest peak in any lesion, in each of the larger ones, and whether the first of all is in one."""
    labels, _ = ndimage.label(lesion, _EVERY_NEIGHBOUR)
    places = np.argwhere(lesion)
    owner = labels[lesion]
    large = np.flatnonzero(np.bincount(owner) * np.prod(spacing) >= 1000 * LEAST_LESION_ML)
    tree = cKDTree(places * np.asarray(spacing))
    touched = tree.query_ball_point(peaks.places * np.asarray(spacing), TOUCHING_MM)
    hit = [frozenset(owner[list(near)].tolist()) for near in touched]
    highest = max((peaks.values[at] for at, own in enumerate(hit) if own), default=-np.inf)
    each = tuple(
        float(max((peaks.values[at] for at, own in enumerate(hit) if number in own), default=-np.inf))
        for number in large.tolist()
    )
    return float(highest), each, bool(hit and hit[0])


def _slices(examined: Examination, lesion: BoolArray) -> tuple[float, bool, float]:
    """AUROC of the slices, whether the highest holds lesion, and the share of slices that do."""
    axes = tuple(axis for axis in range(3) if axis != examined.slice_axis)
    holds = np.asarray(lesion.any(axis=axes))
    scores = np.where(np.isnan(examined.slice_scores), -np.inf, examined.slice_scores)
    share = float(holds.mean())
    top = bool(np.isfinite(scores).any() and holds[scores.argmax()])
    if share in (0.0, 1.0):
        return float("nan"), top, share
    ranks = np.unique(scores, return_inverse=True)[1]  # scikit-learn refuses infinite scores
    return float(roc_auc_score(holds, ranks)), top, share


def _overlaps(coloured: BoolArray, place: tuple[int, int, int], lesion: BoolArray) -> bool:
    labels, _ = ndimage.label(coloured)
    number = labels[place]
    return bool(number > 0 and (labels[lesion] == number).any())
