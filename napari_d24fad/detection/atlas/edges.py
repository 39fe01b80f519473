"""The map beside bone: what a part of bone in a slice explains, and the rim where voxels are part bone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.anatomy.itk import reconstructed
from napari_d24fad.anatomy.rim import with_rim
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.standard import fused
from napari_d24fad.detection.channels.smoothing import masked_gaussian
from napari_d24fad.detection.channels.volume import WorkingVolume

_HALF = np.float32(0.5)  # of a voxel in the rim is bone; and of what bone may explain half is believed


def joined(maps: Mapping[str, FloatArray], volume: WorkingVolume, plan: Plan, sign: int) -> FloatArray:
    """Returns the map of one direction: its channels' mean, see `fused`, with its edges, see `at_edges`."""
    return at_edges(fused(maps, volume, plan), volume, plan, sign)


def at_edges(fused: FloatArray, volume: WorkingVolume, plan: Plan, sign: int) -> FloatArray:
    """Returns the map of one direction with what is known of its edges.

    In a doubtful bin, of what the map is higher than on the way to any other bin half counts: bone in the
    next slice may explain it, but blood that lies there too. Into the rim goes half of what lies beside it.

    Args:
        fused: Map on the working grid; NaN outside the mask.
        volume: The scan.
        plan: Which bins are doubtful.
        sign: +1 where brighter is looked for; bone in a slice makes nothing darker.
    """
    if sign > 0 and plan.inside is None:  # a reader who draws a region has looked at it
        fused = _HALF * (fused + _continued(fused, np.isin(volume.bins, plan.doubtful_bins)))
    rim = with_rim(volume.anatomy) & ~volume.anatomy.mask
    if not rim.any():
        return fused
    near = masked_gaussian(fused, np.isfinite(fused), plan.map_sigma_mm, volume.anatomy.grid.spacing)
    return np.where(rim, _HALF * np.nan_to_num(near), fused).astype(np.float32)


def _continued(fused: FloatArray, doubtful: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    """Returns the map, in doubtful places no higher than on the way from there to any other place.

    See `reconstructed`.
    """
    known = np.isfinite(fused)
    certain = known & ~doubtful
    if not certain.any() or not (known & doubtful).any():
        return fused
    box = tuple(
        slice(int(line[0]), int(line[-1]) + 1)
        for line in (np.flatnonzero(known.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    )
    own, lowest = fused[box], np.nanmin(fused)
    seed, limit = np.where(certain[box], own, lowest), np.where(known[box], own, lowest)
    grown = reconstructed(seed, limit)
    result = fused.copy()
    result[box] = np.where(known[box], grown, np.nan)
    return result
