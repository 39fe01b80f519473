"""The high places of a map: its local maxima, none within some millimetres of a higher one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

APART_MM = 10.0
"""Of two local maxima closer than this the lower one is dropped."""

MOST_PEAKS = 200
"""So many peaks of a map are kept, the highest; four false ones per scan need far fewer."""

_CANDIDATES = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Local maxima of a map, highest first.

    Attributes:
        values: ``(n,)`` float64 map values.
        places: ``(n, 3)`` array indices.
    """

    values: npt.NDArray[np.float64] = field(repr=False)
    places: npt.NDArray[np.intp] = field(repr=False)


def find_peaks(
    values: npt.NDArray[np.floating],
    spacing: tuple[float, float, float],
    apart_mm: float = APART_MM,
    most: int = MOST_PEAKS,
) -> Peaks:
    """Finds the local maxima of a map: no neighbour of the 26 is higher, no higher peak is near.

    Args:
        values: ``(slices, rows, columns)``; NaN where not examined.
        spacing: Distance of neighbouring voxels along each axis in mm.
        apart_mm: Least distance of two peaks; see `APART_MM`.
        most: How many at most.
    """
    box, corner = _examined(values)
    filled = np.where(np.isnan(values[box]), -np.inf, values[box])
    is_peak = (filled == ndimage.maximum_filter(filled, 3, mode="nearest")) & np.isfinite(filled)
    flat = np.flatnonzero(is_peak)
    order = np.argsort(-filled.ravel()[flat], kind="stable")[:_CANDIDATES]
    places = np.stack(np.unravel_index(flat[order], filled.shape), axis=-1)
    tree = cKDTree(places * np.asarray(spacing)) if len(places) else None
    dropped = np.zeros(len(places), bool)
    kept: list[int] = []
    for at in range(len(places)):
        if tree is None or len(kept) == most:
            break
        if dropped[at]:
            continue
        kept.append(at)
        # Strictly nearer, so that peaks just as far apart as asked for stay.
        dropped[tree.query_ball_point(places[at] * np.asarray(spacing), np.nextafter(apart_mm, 0))] = True
    chosen = places[kept].astype(np.intp).reshape(-1, 3)
    return Peaks(np.asarray(filled[tuple(chosen.T)], np.float64), chosen + corner)


def _examined(values: npt.NDArray[np.floating]) -> tuple[tuple[slice, ...], npt.NDArray[np.intp]]:
    """The box of what was examined, and its first corner: little of a head CT is."""
    known = ~np.isnan(values)
    if not known.any():
        return (slice(0, 0),) * 3, np.zeros(3, np.intp)
    lines = [np.flatnonzero(known.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    corner = np.array([line[0] for line in lines], np.intp)
    return tuple(slice(int(line[0]), int(line[-1]) + 1) for line in lines), corner
