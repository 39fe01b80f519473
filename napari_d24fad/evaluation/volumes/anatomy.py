"""What counts as anatomy when maps are measured: the same mask for every method."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

from napari_d24fad.metrics.volumes import BoolArray, FloatArray
from napari_d24fad.studies.scan import Scan

_SAMPLE = 200_000


def anatomy_mask(scan: Scan) -> BoolArray:
    """Returns the largest connected part above Otsu's threshold, its holes filled slice by slice.

    Args:
        scan: A grey volume that is not constant.

    Returns:
        On the grid of the scan; never empty.
    """
    labels, _ = ndimage.label(above_otsu(np.asarray(scan.voxels, np.float32)))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return fill_slices(labels == sizes.argmax(), scan.slice_axis)


def above_otsu(values: FloatArray) -> BoolArray:
    """Returns what is brighter than Otsu's threshold; NaN is not."""
    finite = values[np.isfinite(values)]
    sample = finite[:: max(1, finite.size // _SAMPLE)]
    level = threshold_otsu(sample)  # type: ignore[no-untyped-call]  # scikit-image has no types
    return np.asarray(values > level)


def fill_slices(mask: BoolArray, slice_axis: int) -> BoolArray:
    """Fills what is enclosed in a slice."""
    filled = [ndimage.binary_fill_holes(plane) for plane in np.moveaxis(mask, slice_axis, 0)]
    return np.ascontiguousarray(np.moveaxis(np.stack(filled), 0, slice_axis))
