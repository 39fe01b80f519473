"""What counts as anatomy when maps are measured: the same mask for every method."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.metrics.volumes import BoolArray, FloatArray
from napari_d24fad.studies.scan import Scan

FindMask = Callable[[Scan], BoolArray]

_SAMPLE = 200_000
_KEPT = 24


def anatomy_mask(scan: Scan) -> BoolArray:
    """Returns what `find_anatomy` finds: the inside of the skull of a head CT, else body or tissue.

    Args:
        scan: A grey volume.

    Returns:
        On the grid of the scan.

    Raises:
        PairingError: NOTHING_TO_EXAMINE.
    """
    found = find_anatomy(scan)
    return np.asarray(found.grid.expand(found.mask), bool)


def kept(find: FindMask, count: int = _KEPT) -> FindMask:
    """Returns the same function, which keeps the masks of the last scans: several methods ask for them."""
    known: OrderedDict[str, BoolArray] = OrderedDict()

    def find_once(scan: Scan) -> BoolArray:
        key = scan.scan_hash()
        if key not in known:
            known[key] = find(scan)
            if len(known) > count:
                known.popitem(last=False)
        known.move_to_end(key)
        return known[key]

    return find_once


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
