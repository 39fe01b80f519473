"""Where a map stands out: connected regions above a level, measured in millimetres and ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.detection.references.calibration import FloatArray, conformal_p
from napari_d24fad.studies.scan import Scan

Position = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Region:
    """A connected part of a map at or above a level.

    Attributes:
        number: Rank from 1: by the sum of (value - level) over its voxels, highest first.
        slices: First and last slice along the slice axis of the scan, from 0.
        n_voxels: Its voxels.
        volume_mm3: Its volume; None for an image or without geometry.
        area_mm2: Its area for an image; None for a volume or without geometry.
        extent_mm: Size of its bounding box along each array axis; None without geometry.
        peak: Highest map value.
        mean: Mean map value.
        p_value: How often a normal scan shows, anywhere in it, a value as high as the
            peak; never below 1 / (references + 1). Exact for the scan as a whole, since the
            highest value in the slices that count is held against that of each reference.
        peak_index: Array index of the peak.
        centroid_index: Array index of the centre, each voxel weighted the same.
        centroid_mm: The same in the patient (LPS mm); None where sides are not known.
        meaning: In which way it departs from the references, in words; empty where that is not known.
        direction: ``"brighter"`` or ``"darker"``; empty where that is not known.
        channel: Name of the channel that it is mostly of; see `MapChannel`.
        amount: By how much it is brighter (above 0) or darker than the references there, in `unit`.
        unit: The scan's own units, such as ``"HU"``; empty if it has none.
        spreads: The same in standard deviations of the references.
    """

    number: int
    slices: tuple[int, int]
    n_voxels: int
    volume_mm3: float | None
    area_mm2: float | None
    extent_mm: Position | None
    peak: float
    mean: float
    p_value: float
    peak_index: tuple[int, int, int]
    centroid_index: Position
    centroid_mm: Position | None
    meaning: str = ""
    direction: str = ""
    channel: str = ""
    amount: float | None = None
    unit: str = ""
    spreads: float | None = None


def find_regions(
    values: FloatArray,
    scan: Scan,
    level: float,
    min_voxels: float,
    normal_peaks: npt.NDArray[np.floating],
    counted: Sequence[int] | None = None,
) -> tuple[Region, ...]:
    """Finds the regions of a map; voxels belong together that share a face.

    Whether a region is told, and its p-value, are decided in the slices that count: as many as were
    compared of a reference, or a scan of more slices would show more regions than references do.

    Args:
        values: ``(slices, rows, columns)`` map on the grid of the scan; NaN where not examined.
        scan: The scan, for its geometry.
        level: Regions are at or above it.
        min_voxels: Those are left out that have fewer in the slices that count.
        normal_peaks: ``(references,)`` highest map value of each reference.
        counted: The slices that count, along the slice axis of the scan; None for all.

    Returns:
        Highest rank first.
    """
    reached = values >= level  # NaN is not
    if not reached.any():
        return ()
    # Labelling takes most of the time, and what is reached mostly lies in a part of the scan.
    part = _bounding_box(reached)
    labels, _ = ndimage.label(reached[part])
    counts = np.zeros(scan.n_slices, bool)
    counts[slice(None) if counted is None else list(counted)] = True
    found = []
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        mask = labels[box] == index
        inside = values[part][box][mask]
        if len(inside) < min_voxels:  # most are specks, which are not worth listing their places
            continue
        corner = [one.start + other.start for one, other in zip(part, box, strict=True)]
        places = np.argwhere(mask) + corner
        ranked = inside[counts[places[:, scan.slice_axis]]]
        if len(ranked) >= max(1, min_voxels):
            p_value = conformal_p(float(ranked.max()), normal_peaks)
            found.append((-float((inside - level).sum(dtype=np.float64)), index, places, inside, p_value))
    found.sort(key=lambda each: each[:2])
    return tuple(
        measure_region(number, places, inside, scan, p_value)
        for number, (_, _, places, inside, p_value) in enumerate(found, start=1)
    )


def _bounding_box(mask: npt.NDArray[np.bool_]) -> tuple[slice, ...]:
    """The smallest box that holds all that is true; something must be."""
    lines = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    return tuple(slice(int(line[0]), int(line[-1]) + 1) for line in lines)


def measure_region(
    number: int,
    places: npt.NDArray[np.intp],
    inside: FloatArray,
    scan: Scan,
    p_value: float,
) -> Region:
    """Measures a region.

    Args:
        number: Its rank.
        places: ``(n, 3)`` array indices.
        inside: ``(n,)`` map values there.
        scan: The scan, for its geometry.
        p_value: Of its highest value.
    """
    centre = places.mean(axis=0)
    peak = places[inside.argmax()]
    spacing = np.array(scan.spacing)
    first, last = places.min(axis=0), places.max(axis=0)
    extent = (last - first + 1) * spacing
    volume = len(places) * abs(float(np.linalg.det(scan.affine[:3, :3])))
    in_plane = len(places) * float(np.prod(np.delete(spacing, scan.slice_axis)))
    known = scan.has_geometry
    return Region(
        number=number,
        slices=(int(first[scan.slice_axis]), int(last[scan.slice_axis])),
        n_voxels=len(places),
        volume_mm3=volume if known and scan.is_volume else None,
        area_mm2=in_plane if known and not scan.is_volume else None,
        extent_mm=_triple(extent) if known else None,
        peak=float(inside.max()),
        mean=float(inside.mean()),
        p_value=p_value,
        peak_index=(int(peak[0]), int(peak[1]), int(peak[2])),
        centroid_index=_triple(centre),
        centroid_mm=_triple(scan.affine[:3, :3] @ centre + scan.affine[:3, 3]) if scan.in_patient else None,
    )


def _triple(values: npt.NDArray[np.floating]) -> Position:
    first, second, third = (float(value) for value in values)
    return first, second, third
