"""What counts as anatomy when maps are measured: the same mask for every method."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

from napari_d24fad.metrics.volumes import BoolArray
from napari_d24fad.studies.scan import Scan

_SAMPLE = 200_000


def anatomy_mask(scan: Scan) -> BoolArray:
    """Returns the largest connected part above Otsu's threshold, its holes filled slice by slice.

    Args:
        scan: A grey volume that is not constant.

    Returns:
        On the grid of the scan; never empty.
    """
    values = np.nan_to_num(np.asarray(scan.voxels, np.float32), nan=-np.inf)
    finite = values[np.isfinite(values)]
    sample = finite[:: max(1, finite.size // _SAMPLE)]
    bright = values > threshold_otsu(sample)  # type: ignore[no-untyped-call]  # scikit-image has no types
    labels, _ = ndimage.label(bright)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = np.moveaxis(labels == sizes.argmax(), scan.slice_axis, 0)
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in largest])
    return np.ascontiguousarray(np.moveaxis(filled, 0, scan.slice_axis))
