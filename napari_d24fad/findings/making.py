"""Makes findings: of the regions of a result, or of what a reader marks by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform

from napari_d24fad.detection.references.calibration import conformal_p
from napari_d24fad.detection.references.regions import Region, measure_region
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.findings.finding import BoolArray, Finding, Mask
from napari_d24fad.findings.findings import Findings
from napari_d24fad.studies.scan import Scan

_NEAR = 3
"""Voxels between the highest place of a region, which was found on a coarser grid, and its voxels."""
_MIDDLE_SHARE = 0.05
"""Share of the width of what was examined that is called the middle, to each side."""


def findings_of(scan: Scan, anomaly: AnomalyMap) -> list[Finding]:
    """Makes a finding of each region of a result and of the maps beside it, unnumbered; see `Findings.of`.

    Args:
        scan: What was examined, or its outline.
        anomaly: The result.
    """
    found = findings_at(scan, anomaly, anomaly.regions, anomaly.level_one_region)
    middle = _middle(scan, anomaly)
    for beside in anomaly.beside:
        own = (_of_region(scan, each, None, middle) for each in beside.regions)
        found += [replace(each, beside=beside.plan) for each in own]
    return found


def findings_at(scan: Scan, anomaly: AnomalyMap, regions: Sequence[Region], level: float) -> list[Finding]:
    """Makes a finding of each region at a level, unnumbered.

    Args:
        scan: What was examined, or its outline.
        anomaly: The result.
        regions: Of its map, at or above the level.
        level: The level.
    """
    reached = anomaly.values >= level  # NaN is not
    if not regions or not reached.any():
        return []
    parts = _Parts(reached)
    middle = _middle(scan, anomaly)
    return [_of_region(scan, each, parts.around(each.peak_index), middle) for each in regions]


def renewed(findings: Findings, scan: Scan, anomaly: AnomalyMap) -> Findings:
    """Follows another map of the same scan; see `Findings.renewed`.

    What was judged and is no region any more is measured again too: its p-value is that of this map.

    Args:
        findings: Of the scan, with a reader's verdicts.
        scan: The scan, or its outline.
        anomaly: Its map now.
    """
    after = findings.renewed(findings_of(scan, anomaly))
    stayed = {id(each) for each in findings}
    listed = (
        _measured_again(each, scan, anomaly) if id(each) in stayed and not each.beside else each
        for each in after
    )
    return replace(after, listed=tuple(listed))


def by_hand(scan: Scan, mask: BoolArray, anomaly: AnomalyMap | None = None) -> Finding:
    """Makes a finding of what a reader marked.

    Args:
        scan: The scan, or its outline.
        mask: On the grid of the scan.
        anomaly: Its result, which tells what the map shows there; None if there is none.

    Raises:
        PairingError: ``REGION_UNMATCHED``, if it has another shape; ``REGION_EMPTY``.
    """
    if mask.shape != scan.grid:
        raise PairingError(Code.REGION_UNMATCHED)
    if not mask.any():
        raise PairingError(Code.REGION_EMPTY, "Nothing is marked.")
    own = Mask.of(np.asarray(mask, bool))
    places = own.places
    inside = np.full(len(places), np.nan, np.float32)
    if anomaly is not None:
        inside = anomaly.values[tuple(places.T)]
    known = np.isfinite(inside)
    region = measure_region(1, places, np.where(known, inside, -np.inf), scan, float("nan"))
    if known.any():
        peaks = None if anomaly is None or anomaly.calibration is None else anomaly.calibration.peaks
        p_value = float("nan") if peaks is None else conformal_p(region.peak, peaks)
        region = replace(region, mean=float(inside[known].mean()), p_value=p_value)
    else:
        region = replace(region, peak=float("nan"), mean=float("nan"))
    middle = None if anomaly is None else _middle(scan, anomaly)
    return replace(_of_region(scan, region, own, middle), by_hand=True)


def ellipsoid(scan: Scan, centre: Sequence[float], radii_mm: Sequence[float]) -> BoolArray:
    """Returns the voxels whose middle lies in an ellipsoid along the axes of the array.

    Args:
        scan: The scan, or its outline.
        centre: Array index, also between voxels.
        radii_mm: Along each array axis; in pixels for a scan without geometry.

    Returns:
        On the grid of the scan; at least the voxel that is nearest to the centre, if that is in the scan.
    """
    inside = np.zeros(scan.grid, bool)
    reach = [max(radius / step, 0.5) for radius, step in zip(radii_mm, scan.spacing, strict=True)]
    box = tuple(
        slice(max(0, int(np.floor(at - far))), max(0, int(np.ceil(at + far)) + 1))
        for at, far in zip(centre, reach, strict=True)
    )
    part = inside[box]
    index = np.indices(part.shape)
    distance = np.zeros(part.shape)
    for axis in range(3):
        distance += ((index[axis] + box[axis].start - centre[axis]) / reach[axis]) ** 2
    part[...] = distance <= 1
    nearest = [round(at) for at in centre]
    if all(0 <= at < size for at, size in zip(nearest, scan.grid, strict=True)):
        inside[tuple(nearest)] = True
    return inside


def longest_diameter(plane: BoolArray, spacing: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Returns the two ends of the longest diameter of an area, from edge to edge of its pixels.

    Args:
        plane: ``(rows, columns)``; something in it must be true.
        spacing: Of rows and of columns, in mm.

    Returns:
        ``(2, 2)``, row and column of each end, where 0 is the outer edge of the first pixel.
    """
    hull, one, other = _longest(plane, spacing)
    ends: npt.NDArray[np.float64] = hull[[one, other]] / np.array(spacing)
    return ends


def _measured_again(finding: Finding, scan: Scan, anomaly: AnomalyMap) -> Finding:
    if finding.mask is None:
        return finding
    whole = np.zeros(scan.grid, bool)
    whole[tuple(finding.mask.places.T)] = True
    return replace(finding, region=by_hand(scan, whole, anomaly).region)


def _of_region(scan: Scan, region: Region, mask: Mask | None, middle: tuple[float, float] | None) -> Finding:
    index = region.peak_index[scan.slice_axis]
    diameters = None
    if mask is not None:
        others = tuple(axis for axis in range(3) if axis != scan.slice_axis)
        areas = mask.voxels.sum(axis=others)
        # Of slices that show as much of it, the one nearest to its highest place.
        first = mask.corner[scan.slice_axis]
        largest = np.flatnonzero(areas == areas.max()) + first
        index = int(largest[np.abs(largest - index).argmin()])
        if scan.has_geometry:
            plane = np.take(mask.voxels, index - first, axis=scan.slice_axis)
            diameters = _diameters(plane, (scan.spacing[others[0]], scan.spacing[others[1]]))
    side = "" if middle is None or region.centroid_mm is None else _side(region.centroid_mm[0], *middle)
    return Finding(0, region, side=side, slice_index=index, diameters_mm=diameters, mask=mask)


class _Parts:
    """The connected parts of a mask on the grid of a scan; something in it must be true."""

    def __init__(self, reached: BoolArray) -> None:
        box = Mask.of(reached)  # labelling takes most of the time, and the box is often small
        self._corner = np.array(box.corner)
        self._labels, _ = ndimage.label(box.voxels)
        self._boxes = ndimage.find_objects(self._labels)

    def around(self, place: tuple[int, int, int]) -> Mask | None:
        """Returns the part that holds a place, or comes near it; None if none does."""
        here = np.array(place) - self._corner
        box = tuple(slice(max(0, at - _NEAR), max(0, at + _NEAR + 1)) for at in here)
        near = np.argwhere(self._labels[box]) + [part.start for part in box]
        if not len(near):
            return None
        nearest = near[np.linalg.norm(near - here, axis=1).argmin()]
        number = int(self._labels[tuple(nearest)])
        found = self._boxes[number - 1]
        first, second, third = (int(part.start + at) for part, at in zip(found, self._corner, strict=True))
        return Mask((first, second, third), self._labels[found] == number)


def _diameters(plane: BoolArray, spacing: tuple[float, float]) -> tuple[float, float]:
    """Returns the longest diameter of an area, and the longest at right angles to it, both in mm.

    From edge to edge of the pixels, so that a single pixel is as long as its diagonal.
    """
    hull, one, other = _longest(plane, spacing)
    longest = hull[other] - hull[one]
    length = float(np.linalg.norm(longest))
    across: npt.NDArray[np.float64] = hull @ np.array([-longest[1], longest[0]]) / length
    return length, float(np.ptp(across))


def _longest(plane: BoolArray, spacing: tuple[float, float]) -> tuple[npt.NDArray[np.float64], int, int]:
    """Returns the corners of the hull of an area, ``(n, 2)`` in mm, and which two are farthest apart."""
    corners = np.concatenate([np.argwhere(plane) + step for step in ((0, 0), (0, 1), (1, 0), (1, 1))])
    points = corners * np.array(spacing)
    hull = points[ConvexHull(points).vertices]
    distances = squareform(pdist(hull))
    one, other = np.unravel_index(int(distances.argmax()), distances.shape)
    return hull, int(one), int(other)


def _middle(scan: Scan, anomaly: AnomalyMap) -> tuple[float, float] | None:
    """Returns where the middle of what was examined lies from right to left, and how wide it is, in mm.

    None where sides are not known, or where only a drawn region was examined, which has no middle to tell.
    """
    examined = np.isfinite(anomaly.values)
    if not scan.in_patient or anomaly.region is not None or not examined.any():
        return None
    counts = [examined.sum(axis=axes) for axes in ((1, 2), (0, 2), (0, 1))]
    centre = [float(np.average(np.arange(len(each)), weights=each)) for each in counts]
    size = [int(np.ptp(np.flatnonzero(each))) + 1 for each in counts]
    along = scan.affine[0, :3]
    width = float(np.abs(along * size).max())
    return float(along @ centre + scan.affine[0, 3]), width


def _side(x: float, middle: float, width: float) -> str:
    """Names the side of a place, ``x`` mm to the patient's left."""
    if abs(x - middle) <= _MIDDLE_SHARE * width:
        return "middle"
    return "left" if x > middle else "right"
