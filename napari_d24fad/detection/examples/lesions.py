"""Where the lesion of an abnormal volume lies on its working grid, and a place of it in the scan."""

from __future__ import annotations

import numpy as np

from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.detection.atlas.examination import AtlasExamination
from napari_d24fad.detection.atlas.inside import on_working_grid
from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.detection.result import Patch
from napari_d24fad.errors import Code, PairingError

_HALF_MM = 8.0
"""What is shown of a place on each side of it."""


def drawn_lesion(region: BoolArray, found: AtlasExamination) -> BoolArray:
    """Returns a lesion that was drawn, on the working grid.

    Args:
        region: On the grid of the scan.
        found: The examination of that scan.

    Raises:
        PairingError: ``LESION_OUTSIDE``, if none of it is examined.
    """
    inside = on_working_grid(region, found.volume)
    if inside is None:
        raise PairingError(Code.LESION_OUTSIDE)
    return inside


def most_unusual(found: AtlasExamination, slices: BoolArray | None, mm3: float) -> BoolArray:
    """Returns what stands out most of a volume: the region of the largest mass, else the highest voxels.

    Args:
        found: By the references alone.
        slices: On the grid of the scan, where the lesion is to be; None for anywhere.
        mm3: Volume of the highest voxels.

    Raises:
        PairingError: ``LESION_OUTSIDE``, if none of these slices is examined.
    """
    within = found.volume.anatomy.mask & np.isfinite(found.fused)
    if slices is not None:
        within &= np.nan_to_num(found.volume.anatomy.grid.reduce(slices.astype(np.float32))) >= 0.5
    if not within.any():
        raise PairingError(Code.LESION_OUTSIDE)
    labels = np.where(within, found.labels, 0)
    above = np.bincount(
        labels.ravel(), np.maximum(np.nan_to_num(found.fused) - found.levels.value, 0).ravel()
    )
    above[0] = 0
    if above.any():
        return np.asarray(labels == int(above.argmax()))
    values = found.fused[within]
    count = min(max(1, len(values) // 10), max(1, round(mm3 / found.volume.anatomy.grid.voxel_mm3)))
    high = np.nan_to_num(found.fused, nan=-np.inf) >= np.partition(values, -count)[-count]
    return np.asarray(within & high)


def seen_of(volume: WorkingVolume, index: tuple[int, int, int]) -> Patch:
    """Returns the voxels of the scan around a place of the working grid, in the slice of it.

    Args:
        volume: The scan.
        index: On its working grid.
    """
    grid = volume.anatomy.grid
    reach = np.array([_HALF_MM / step for step in grid.spacing])
    reach[grid.slice_axis] = 0
    ends = np.stack([grid.scan_index(np.array(index) + sign * reach) for sign in (-1, 1)])
    last = np.array(grid.scan_grid) - 1
    low, high = (np.clip(np.rint(each(0)), 0, last).astype(int).tolist() for each in (ends.min, ends.max))
    return Patch((low[0], low[1], low[2]), (high[0], high[1], high[2]))
