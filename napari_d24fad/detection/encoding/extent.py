"""What of a volume is anatomy: body or tissue, on the voxels of the scan and as the network sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.find import find_body
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.detection.encoding.sampling import Sampling, centres
from napari_d24fad.errors import PairingError
from napari_d24fad.studies.scan import Scan

SHRUNK = 4
"""The network's input is so many times as fine as the mask of each of its slices."""

_LEAST_SLICES = 0.5


class Extent:
    """The mask of a volume in canonical order.

    Args:
        anatomy: What was found in it.
        missing: On the grid of the scan, voxels without a value; None if all have one.

    Attributes:
        kind: What it encloses.
    """

    def __init__(self, anatomy: Anatomy, missing: BoolArray | None = None) -> None:
        self.kind = anatomy.kind
        self._grid, self._mask, self._missing = anatomy.grid, anatomy.mask, missing

    @cached_property
    def voxels(self) -> BoolArray:
        """The mask on the grid of the scan, ``(slices, rows, columns)``."""
        voxels = np.asarray(self._grid.expand(self._mask), bool)
        return voxels if self._missing is None else voxels & ~self._missing

    def seen(self, index: int, sampling: Sampling) -> BoolArray:
        """Returns the mask of a slice where the network sees it.

        Args:
            index: Of the slice.
            sampling: How slices become network inputs.

        Returns:
            ``(side, side)``, a quarter of the input's side; padding is outside.
        """
        places = centres(sampling.side, sampling.side // SHRUNK)
        seen = sampling.inside(sampling.side // SHRUNK).numpy()
        rows, columns = (
            (first + (places - origin) * (last - first) // size).clip(first, last - 1)
            for origin, size, (first, last) in zip(
                sampling.origin, sampling.content, (sampling.rows, sampling.columns), strict=True
            )
        )
        return np.asarray(self.voxels[index][np.ix_(rows, columns)] & seen)


class LazyExtent:
    """What of a volume is anatomy, found when it is first asked for: a map made place by place never does.

    Args:
        scan: A grey volume in canonical order.
        examined: The slices that are examined.
        sampling: How slices become network inputs.
    """

    def __init__(self, scan: Scan, examined: Sequence[int], sampling: Sampling) -> None:
        self._scan, self._examined, self._sampling = scan, examined, sampling

    @cached_property
    def extent(self) -> Extent | None:
        """See `find_extent`."""
        return find_extent(self._scan, self._examined)

    @cached_property
    def masks(self) -> Mapping[int, BoolArray]:
        """See `Extent.seen`, of each examined slice; empty where all is examined."""
        extent = self.extent
        return {} if extent is None else {at: extent.seen(at, self._sampling) for at in self._examined}


def find_extent(scan: Scan, examined: Sequence[int]) -> Extent | None:
    """Finds what of a volume is anatomy.

    Args:
        scan: A grey volume in canonical order.
        examined: The slices that are examined.

    Returns:
        None where no mask holds up: nothing is found, or nothing in most of the slices. All that lies in
        the box of the anatomy is examined then.
    """
    try:
        found = find_body(scan)
    except PairingError:
        return None
    extent = Extent(found, _without_value(scan.voxels))
    filled = extent.voxels[list(examined)].any(axis=(1, 2))
    return extent if filled.mean() >= _LEAST_SLICES else None


def _without_value(voxels: npt.NDArray[np.generic]) -> BoolArray | None:
    """Returns where voxels are not a number; None if all are one."""
    if not np.issubdtype(voxels.dtype, np.floating):
        return None
    # Plane by plane: the highest of a plane is no number where one of its voxels is none.
    if not any(np.isnan(plane.max()) for plane in voxels):
        return None
    return np.asarray(np.isnan(voxels))
