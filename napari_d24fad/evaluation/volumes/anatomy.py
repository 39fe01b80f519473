"""What counts as anatomy when maps are measured: the same mask for every method."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.rim import with_rim
from napari_d24fad.metrics.volumes import BoolArray
from napari_d24fad.studies.scan import Scan

FindAnatomy = Callable[[Scan], Anatomy]

_KEPT = 24


def kept(find: FindAnatomy, count: int = _KEPT) -> FindAnatomy:
    """Returns the same function, which keeps what it found in the last scans: several methods ask for it.

    Args:
        find: Finds the anatomy of a scan, such as `find_anatomy`.
        count: In how many scans.
    """
    known: OrderedDict[str, Anatomy] = OrderedDict()

    def find_once(scan: Scan) -> Anatomy:
        key = scan.scan_hash()
        if key not in known:
            known[key] = find(scan)
            if len(known) > count:
                known.popitem(last=False)
        known.move_to_end(key)
        return known[key]

    return find_once


def scan_mask(anatomy: Anatomy) -> BoolArray:
    """Returns the mask, with its rim, on the grid of the scan."""
    return np.asarray(anatomy.grid.expand(with_rim(anatomy)), bool)
