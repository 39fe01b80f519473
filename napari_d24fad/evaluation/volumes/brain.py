"""Where in a T1-weighted head lesions can be put, and how far its grey and white matter are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.filters import threshold_multiotsu, threshold_otsu

from napari_d24fad.anatomy.find import drawn_region, find_anatomy
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.errors import PairingError
from napari_d24fad.evaluation.volumes.anatomy import FindAnatomy, scan_mask
from napari_d24fad.metrics.volumes import BoolArray, FloatArray, Spacing
from napari_d24fad.studies.scan import Scan

BRAIN_MM = (2.0, 2.0, 2.0)
"""Voxels of the working grid for brains; coarser scans stay as they are."""

_NECK_MM = 5.0
"""Thinner bridges of tissue between brain and scalp are cut."""

_SCALP_MM = 6.0
_CLOSED_MM = 8.0
_AROUND_MM = 20.0
_PLAUSIBLE_ML = (800.0, 2200.0)
_DEEP_MM, _MIDDLE_MM, _ABOVE_MM = 20.0, 30.0, 2.0
_LEAST_VENTRICLE_ML = 2.0
_SAMPLE = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Brain:
    """A brain, on the grid of its scan.

    Attributes:
        depth: mm from each voxel to the outside of the brain, 0 outside.
        fluid: Darker than tissue, inside the brain.
        ventricles: The largest connected fluid in the depth; None if there is little.
        grey: Median of the grey matter.
        white: Median of the white matter.
    """

    depth: FloatArray = field(repr=False)
    fluid: BoolArray = field(repr=False)
    ventricles: BoolArray | None = field(repr=False)
    grey: float
    white: float

    @property
    def contrast(self) -> float:
        """What lesions are measured in: white minus grey matter, in the units of the scan."""
        return self.white - self.grey


def brain_anatomy(align: FindAnatomy) -> FindAnatomy:
    """Returns what finds the brain of T1-weighted heads, with the fluid around it, as what is examined.

    The mask of the template, carried: `find_brain` leaves out fluid at the surface, folds of the cerebellum
    and what coils show dark. Where a scan cannot be aligned, `find_brain`, else `find_anatomy`.

    Args:
        align: Finds the anatomy of a head by alignment, on the grid of the template.
    """

    def find(scan: Scan) -> Anatomy:
        try:
            region: BoolArray | None = scan_mask(align(scan))
        except PairingError:
            brain = find_brain(scan)
            region = None if brain is None else brain.depth > 0
        return find_anatomy(scan) if region is None else drawn_region(scan, region, BRAIN_MM)

    return find


def find_brain(scan: Scan) -> Brain | None:
    """Finds the brain of a T1-weighted head, skull and scalp in view.

    Tissue is what is above the lower of two thresholds (Otsu's for three classes) in the head. It is
    eroded until brain and scalp part, the largest part is dilated again, closed and filled. Within it
    the same three classes are fluid, grey and white matter.

    Args:
        scan: A grey volume with geometry.

    Returns:
        The brain; None if its volume is not plausible.
    """
    values = np.asarray(scan.voxels, np.float32)
    head = _filled(_above_otsu(values), scan.slice_axis)
    low, _ = _classes(values[head])
    tissue = head & (values > low) & (_depth(head, scan.spacing) > _SCALP_MM)
    labels, count = ndimage.label(_depth(tissue, scan.spacing) > _NECK_MM)
    if count == 0:
        return None
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    core = labels == sizes.argmax()
    hull = _hull(core, tissue, scan.spacing) & head
    volume = float(np.count_nonzero(hull) * np.prod(scan.spacing)) / 1000
    if not _PLAUSIBLE_ML[0] <= volume <= _PLAUSIBLE_ML[1]:
        return None
    inside = values[hull]
    low, high = _classes(inside)
    fluid = hull & (values <= low)
    depth = _depth(hull, scan.spacing)
    grey = float(np.median(inside[(inside > low) & (inside <= high)]))
    return Brain(depth, fluid, _ventricles(fluid, depth, scan), grey, float(np.median(inside[inside > high])))


def _hull(core: BoolArray, tissue: BoolArray, spacing: Spacing) -> BoolArray:
    """Dilates what was eroded within the tissue, closes it and fills it; only around it, to save time."""
    box = _box(core, [int(_AROUND_MM / length) for length in spacing])
    # By distances: structuring elements of this size take seconds.
    brain = tissue[box] & (_depth(~core[box], spacing) <= _NECK_MM + 1)
    closed = _depth(_depth(~brain, spacing) <= _CLOSED_MM, spacing) > _CLOSED_MM
    hull = np.zeros(core.shape, bool)
    hull[box] = ndimage.binary_fill_holes(closed | brain)
    return hull


def _above_otsu(values: FloatArray) -> BoolArray:
    known = values[np.isfinite(values)]
    sample = known[:: max(1, known.size // _SAMPLE)]
    level = threshold_otsu(sample)  # type: ignore[no-untyped-call]  # scikit-image has no types
    return np.asarray(values > level)


def _filled(mask: BoolArray, slice_axis: int) -> BoolArray:
    """The mask, and what it encloses in each slice."""
    planes = [ndimage.binary_fill_holes(plane) for plane in np.moveaxis(mask, slice_axis, 0)]
    return np.ascontiguousarray(np.moveaxis(np.stack(planes), 0, slice_axis))


def _classes(values: npt.NDArray[np.floating]) -> tuple[float, float]:
    sample = values[:: max(1, values.size // _SAMPLE)]
    found = threshold_multiotsu(sample)  # type: ignore[no-untyped-call]  # scikit-image has no types
    return float(found[0]), float(found[1])


def _ventricles(fluid: BoolArray, depth: FloatArray, scan: Scan) -> BoolArray | None:
    """The largest connected fluid deep in the upper half of the brain.

    Cisterns are as large and as deep, but lie below its middle.
    """
    # In LPS mm, but for the origin.
    height = np.tensordot(scan.affine[2, :3], np.indices(scan.grid, np.float32), 1)
    middle = float(height[depth > 0].mean())
    labels, _ = ndimage.label(fluid & (depth > _DEEP_MM) & (height > middle + _ABOVE_MM))
    # The fissure between the hemispheres is as large, too, but less of it is so deep.
    deepest = np.bincount(labels[depth > _MIDDLE_MM], minlength=1)
    deepest[0] = 0
    if not deepest.any():
        return None
    ventricles = np.asarray(labels == deepest.argmax())
    enough = np.count_nonzero(ventricles) * np.prod(scan.spacing) >= 1000 * _LEAST_VENTRICLE_ML
    return ventricles if enough else None


def _depth(mask: BoolArray, spacing: Spacing) -> FloatArray:
    """Distance in mm from each voxel of a mask to the nearest voxel outside it."""
    depth = np.zeros(mask.shape, np.float32)
    box = _box(mask, (1, 1, 1))
    depth[box] = ndimage.distance_transform_edt(mask[box], sampling=spacing)
    return depth


def _box(mask: BoolArray, margin: Sequence[int]) -> tuple[slice, ...]:
    """The bounding box of a mask and some voxels around it; everything if the mask is empty."""
    found = ndimage.find_objects(mask.astype(np.uint8))
    if not found:
        return (slice(None),) * 3
    return tuple(
        slice(max(each.start - more, 0), each.stop + more)
        for each, more in zip(found[0], margin, strict=True)
    )
