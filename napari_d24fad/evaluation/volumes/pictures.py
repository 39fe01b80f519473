"""Slices to look at: where a lesion was found or missed, and what was listed instead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_d24fad.evaluation.pictured import LesionPicture, SlicePicture
from napari_d24fad.evaluation.volumes.cases import VolumeCase
from napari_d24fad.metrics.volumes import BoolArray, Examined, LesionFound
from napari_d24fad.studies.orientation import canonical_orientation

_MARGIN_MM = 8.0  # around the anatomy
_DARKEST, _BRIGHTEST = 0.5, 99.5  # percentiles of the anatomy
_SPREADS = 8.0  # median absolute deviations from its median; what is beyond either is black or white


def lesion_picture(
    case: VolumeCase, examined: Examined, found: LesionFound, anatomy: BoolArray
) -> LesionPicture:
    """Reduces a query to the slices worth looking at.

    Args:
        case: A query with an outlined lesion.
        examined: What a method says of it.
        found: What that tells of the lesion.
        anatomy: What of the grid is anatomy.
    """
    scan = case.scan
    assert case.lesion is not None
    orientation = canonical_orientation(scan)
    spacing = tuple(scan.spacing[axis] for axis in orientation.permutation)
    lesion = orientation.apply(case.lesion)
    region = orientation.apply(examined.labels == 1)
    values = orientation.apply(np.where(examined.coloured, examined.values, np.nan))
    box = _box(orientation.apply(anatomy) | lesion, (spacing[1], spacing[2]))
    low, high = _window(scan.voxels[anatomy] if anatomy.any() else scan.voxels)

    def at(index: int) -> SlicePicture:
        grey = (orientation.apply(scan.voxels)[index][box].astype(np.float32) - low) / max(high - low, 1e-6)
        return SlicePicture(
            (np.nan_to_num(np.clip(grey, 0, 1)) * 255).astype(np.uint8),
            values[index][box].astype(np.float16),
            lesion[index][box],
            region[index][box],
        )

    wanted = region if region.any() else np.nan_to_num(orientation.apply(examined.values), nan=-np.inf)
    of_region = wanted.sum(axis=(1, 2)) if region.any() else wanted.max(axis=(1, 2))
    return LesionPicture(
        case.index,
        " ".join(filter(None, (case.kind, case.size))),
        float(case.lesion.sum() * np.prod(scan.spacing) / 1000),
        found.dice,
        found.by_region,
        found.by_peak,
        found.first_region,
        spacing[1] / spacing[2],
        at(int(lesion.sum(axis=(1, 2)).argmax())),
        at(int(of_region.argmax())),
    )


def best_and_worst(
    pictures: Sequence[LesionPicture], count: int
) -> tuple[tuple[LesionPicture, ...], tuple[LesionPicture, ...]]:
    """Returns the queries whose lesion ranks highest, and of the others those in which it ranks lowest.

    Args:
        pictures: By one method with one draw of references.
        count: How many of either at most.

    Returns:
        The best, the best first, and the worst, the worst first.
    """
    ordered = sorted(pictures, key=lambda each: (each.mass, each.peak), reverse=True)
    return tuple(ordered[:count]), tuple(ordered[count:][::-1][:count])


def caption(one: LesionPicture, folder: str, number: int, told: Sequence[Sequence[float]]) -> str:
    """Returns what stands above a query, in lines as narrow as its slices.

    Args:
        one: The query.
        folder: Of the task, that its scan lies in.
        number: Of its scan in that folder.
        told: Masses of the regions of each normal query.

    Returns:
        Which scan, how large the lesion, its kind if it was implanted, how many regions normal scans show
        on average before it is listed, and the Dice.
    """
    false = sum(mass >= one.mass for masses in told for mass in masses) / max(1, len(told))
    size = f"{one.lesion_ml:.1f} ml" if one.lesion_ml >= 0.1 else f"{1000 * one.lesion_ml:.0f} mm3"
    found = f"at {false:.2f} false regions" if np.isfinite(one.mass) else "no region in it"
    rank = "rank 1" if one.first_region else "not rank 1"
    lines = f"{folder} {number}, {size}", one.kind, found, f"{rank}, Dice {one.dice:.2f}"
    return "\n".join(filter(None, lines))


def _window(voxels: npt.NDArray[np.generic]) -> tuple[float, float]:
    """Returns what becomes black and white: in a head, where some bone is at the edge, about 0 and 70 HU."""
    values = voxels[np.isfinite(voxels)].astype(np.float32)
    low, middle, high = (float(each) for each in np.percentile(values, (_DARKEST, 50, _BRIGHTEST)))
    reach = _SPREADS * float(np.median(np.abs(values - middle)))
    return (max(low, middle - reach), min(high, middle + reach)) if reach else (low, high)


def _box(mask: BoolArray, spacing: tuple[float, float]) -> tuple[slice, slice]:
    """Rows and columns of what is anatomy in any slice, with a margin."""
    box = []
    for axes, step in zip(((0, 2), (0, 1)), spacing, strict=True):
        used = np.flatnonzero(mask.any(axis=axes))
        margin = round(_MARGIN_MM / step)
        box.append(slice(max(0, int(used[0]) - margin), int(used[-1]) + 1 + margin))
    return box[0], box[1]
