"""Why a place was coloured: its value beside those of the references, and the references in its geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.common_grid import CommonGrid
from napari_d24fad.anatomy.grid import FloatArray, WorkingGrid
from napari_d24fad.detection.atlas.examination import AtlasExamination
from napari_d24fad.detection.atlas.measured import MeasuredScan, key_of
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.channels.table import Expectation
from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.studies.scan import Affine, Scan

Index = tuple[int, int, int]

_SAMPLES = 50_000
_STEPS = 5
_NEAR = np.array([0, 3, 3])  # voxels of the working grid within which a place is looked for


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a scan and a reference lie on each other.

    Attributes:
        correlation: Of their values where both have anatomy, -1 to 1; NaN where too little is shared.
        shared: Share of the anatomy of the scan that lies in that of the reference, 0 to 1.
    """

    correlation: float
    shared: float


@dataclass(frozen=True, slots=True, eq=False)
class ValueAtPlace:
    """The value at a place against the references', all from what the references show there on average.

    Attributes:
        query: Of the scan, in `unit`; NaN where nothing near is compared.
        spread: Standard deviation of the references around the place.
        references: Of each reference, at its nearest place that is compared; NaN if none is near.
        unit: The scan's own units, such as ``"HU"``; empty if it has none.
        sides: What is above and what is below the references, such as brighter and darker.
    """

    query: float
    spread: float
    references: tuple[float, ...] = field(repr=False)
    unit: str
    sides: tuple[str, str]


def value_at(found: AtlasExamination, references: AtlasReferences, place: Index) -> ValueAtPlace:
    """Returns the value of a place against the references'.

    Args:
        found: The examination.
        references: What it was held against.
        place: Array index in the scan.
    """
    volume, plan = found.volume, references.plan
    sign = references.direction.signs[0]
    key = key_of(plan.value, sign)
    unit = volume.unit_per_value
    measured = plan.value.measure(volume.signed(sign))
    at = None if measured is None else _nearest_known(measured, working_index(volume.anatomy.grid, place))
    if measured is None or at is None:
        return ValueAtPlace(np.nan, np.nan, (np.nan,) * len(references.scans), volume.unit, plan.sides)
    only = np.zeros_like(volume.counted)
    only[at] = True
    mean, spread = Expectation(references.standards[key].sums, plan.cells).of(replace(volume, counted=only))
    others = []
    for scan in references.scans:
        quantity = scan.quantities.get(key)
        if quantity is None:  # of a map beside: its references keep what the joined map needs
            own = plan.prepare(scan.volume.anatomy, scan.volume.place)
            quantity = plan.value.measure(own.signed(sign))
        near = (_across(volume, scan.volume) @ [*at, 1.0])[:3]
        there = None if quantity is None else _nearest_known(quantity, near)
        others.append(float("nan") if quantity is None or there is None else float(quantity[there]))
    from_mean = [sign * (value - float(mean[0])) * unit for value in (float(measured[at]), *others)]
    around = float(spread[0]) * unit
    return ValueAtPlace(from_mean[0], around, tuple(from_mean[1:]), volume.unit, plan.sides)


def agreement(query: WorkingVolume, reference: WorkingVolume) -> Agreement:
    """Tells how well two scans lie on each other in the common space."""
    index = np.argwhere(query.anatomy.mask)
    index = index[:: max(1, len(index) // _SAMPLES)]
    at = _across(query, reference) @ np.vstack([index.T, np.ones(len(index))])
    inside = ndimage.map_coordinates(
        reference.anatomy.mask.astype(np.uint8), at[:3], order=0, mode="constant", cval=0
    ).astype(bool)
    ours = query.values[tuple(index[inside].T)]
    theirs = ndimage.map_coordinates(reference.values, at[:3, inside], order=1, mode="nearest")
    known = len(ours) > 100 and ours.std() > 0 and theirs.std() > 0
    correlation = float(np.corrcoef(ours, theirs)[0, 1]) if known else float("nan")
    return Agreement(correlation, float(inside.mean()))


def aligned_slice(
    query: WorkingVolume, reference: WorkingVolume, scan: Scan, reference_scan: Scan, slice_index: int
) -> FloatArray:
    """Reads a reference at the voxels of one slice of a scan, through the common space.

    Args:
        query: The scan, as it was placed.
        reference: The reference, as it was placed.
        scan: The scan.
        reference_scan: The reference.
        slice_index: Along the slice axis of the scan.

    Returns:
        The slice in the order of the scan, its slice axis of length 1, in the scan's own units; NaN where
        the reference shows nothing.
    """
    chosen: list[slice] = [slice(None)] * 3
    chosen[scan.slice_axis] = slice(slice_index, slice_index + 1)
    if isinstance(query.anatomy.grid, CommonGrid):
        return _through_template(query.anatomy.grid, query, reference, scan, slice_index)
    matrix = (
        reference.anatomy.grid.scan_matrix
        @ _across(query, reference)
        @ np.linalg.inv(query.anatomy.grid.scan_matrix)
    )
    axes = [np.arange(n, dtype=np.float64)[part] for n, part in zip(scan.grid, chosen, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    places = np.stack([row[0] * z + row[1] * y + row[2] * x + row[3] for row in matrix[:3]])
    read = ndimage.map_coordinates(
        reference_scan.voxels, places, order=1, mode="constant", cval=np.nan, output=np.float32
    )
    own, other = query.anatomy.window, reference.anatomy.window
    if own is not None and other is not None:
        read = (read * other.slope + other.intercept - own.intercept) / own.slope
    return np.asarray(read, np.float32)


def _through_template(
    grid: CommonGrid, query: WorkingVolume, reference: WorkingVolume, scan: Scan, slice_index: int
) -> FloatArray:
    """Of scans in the voxels of a template: values are comparable there, and brought to those of the scan."""
    first = np.zeros(3, np.intp)
    first[scan.slice_axis] = slice_index
    one, two, three = (1 if axis == scan.slice_axis else n for axis, n in enumerate(scan.grid))
    theirs, ours = (
        np.asarray(grid.read(each.anatomy.values, first, (one, two, three)), np.float32)
        for each in (reference, query)
    )
    own = np.asarray(np.take(scan.voxels, [slice_index], scan.slice_axis), np.float32)
    known = np.isfinite(ours) & np.isfinite(own)
    if known.sum() < 100 or ours[known].std() == 0:
        return theirs
    slope, offset = (float(part) for part in np.polyfit(ours[known], own[known], 1))
    return np.asarray(slope * theirs + offset, np.float32)


def most_alike(query: WorkingVolume, scans: Sequence[MeasuredScan]) -> int:
    """Returns which reference lies best on a scan, from 0."""
    told = [agreement(query, scan.volume).correlation for scan in scans]
    return int(np.argmax(np.nan_to_num(told, nan=-1.0)))


def working_index(grid: WorkingGrid, place: Index) -> npt.NDArray[np.float64]:
    """Returns where a voxel of the scan lies on its working grid, ``(3,)``."""
    if not isinstance(grid, CommonGrid):
        return np.asarray((np.linalg.inv(grid.scan_matrix) @ [*place, 1.0])[:3])
    to_grid = np.linalg.inv(grid.affine) @ grid.scan_affine
    found = (to_grid @ [*place, 1.0])[:3]
    for _ in range(_STEPS):  # what the deformation adds
        found = found + to_grid[:3, :3] @ (np.array(place) - grid.scan_index(found))
    return np.asarray(found)


def _across(query: WorkingVolume, reference: WorkingVolume) -> Affine:
    """Returns the map from the working grid of one scan to that of another, ``(4, 4)``."""
    return np.asarray(np.linalg.pinv(_common(reference)) @ _common(query), np.float64)


def _common(volume: WorkingVolume) -> Affine:
    """Returns the map from index to mm of the common space; every `Placer` makes an affine one."""
    coordinates = volume.place.coordinates.astype(np.float64)
    matrix = np.eye(4)
    matrix[:3, 3] = first = coordinates[:, 0, 0, 0]
    for axis, length in enumerate(coordinates.shape[1:]):
        last = np.moveaxis(coordinates, axis + 1, 1)[:, -1, 0, 0]
        matrix[:3, axis] = (last - first) / max(length - 1, 1)
    return matrix


def _nearest_known(values: FloatArray, at: npt.NDArray[np.float64]) -> Index | None:
    """Returns the index of the known value that is nearest to a place; None if none is near it."""
    centre = np.rint(at).astype(int)
    low = np.maximum(centre - _NEAR, 0)
    box = tuple(slice(first, max(first, last)) for first, last in zip(low, centre + _NEAR + 1, strict=True))
    known = np.argwhere(np.isfinite(values[box])) + low
    if not len(known):
        return None
    first, second, third = (int(i) for i in known[np.argmin(((known - at) ** 2).sum(axis=1))])
    return first, second, third
