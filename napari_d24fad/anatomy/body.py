"""The body without table, positioner and arms, and the tissue of a scan that holds nothing else."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

from napari_d24fad.anatomy.grid import BoolArray, FloatArray, WorkingGrid
from napari_d24fad.anatomy.planes import filled, opened

_CT_AIR = -300.0  # HU
_THIN_MM = 6.0  # half the thickness of what is taken for table, positioner or tubes
_THIN_SHARE = 0.03  # the same as a share of the field of view, where that is small: wrists, animals
_PART = 0.25  # of the largest part: a leg beside a leg, but no arm beside a trunk
_STRIPPED = 0.2  # share of voxels of one lowest value from which a scan is taken for cut out


def body(values: FloatArray, grid: WorkingGrid, *, hounsfield: bool) -> BoolArray:
    """Returns the body in a scan, its cavities filled in each plane.

    What hangs on it by less than 12 mm (table, positioner, tubes), or lies apart and is smaller than a
    quarter of the largest part (arms), is left out.

    Args:
        values: On the working grid; NaN as air.
        grid: The working grid.
        hounsfield: Whether values are in HU.
    """
    lowest = float(np.nanmin(values))
    known = np.where(np.isfinite(values), values, lowest).astype(np.float32)
    level = _CT_AIR if hounsfield else _air_level(known)
    above = known > level
    spacing = (grid.spacing[1], grid.spacing[2])
    field_of_view = min(values.shape[1] * spacing[0], values.shape[2] * spacing[1])
    thin = min(_THIN_MM, _THIN_SHARE * field_of_view)
    solid = np.stack([opened(filled(plane), thin, spacing) for plane in above])
    return _main_parts(solid if solid.any() else above)


def tissue(values: FloatArray) -> BoolArray:
    """Returns what differs from the one value that surrounds a cut-out organ, holes filled in planes."""
    low = float(np.nanmin(values))
    above = np.isfinite(values) & (values > low)
    return _main_parts(np.stack([filled(plane) for plane in above]))


def is_cut_out(values: FloatArray) -> bool:
    """Whether a large part of a scan has one and the same lowest value, as around a stripped brain."""
    known = values[np.isfinite(values)]
    return bool(known.size and (known == known.min()).mean() > _STRIPPED)


def _air_level(values: FloatArray) -> float:
    """Returns a level between air and tissue: Otsu's of what lies below Otsu's, as fat is bright in MR."""
    first = float(threshold_otsu(values.ravel()))  # type: ignore[no-untyped-call]  # scikit-image has no types
    below = values[values < first]
    if not below.size or below.min() == below.max():
        return first
    return float(threshold_otsu(below))  # type: ignore[no-untyped-call]  # as above


def _main_parts(shape: BoolArray) -> BoolArray:
    labels, number = ndimage.label(shape)
    if number <= 1:
        return shape
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= _PART * sizes.max())[labels])
