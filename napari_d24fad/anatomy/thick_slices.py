"""Stacks of few, thick slices: what lies at one place of two of them is matched in the plane only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.grid import BoolArray, FloatArray
from napari_d24fad.anatomy.itk import plane_demons
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Affine, Scan

_AROUND_MM = 12.0  # beside a region, that is looked at: what lies further off would pull it
_SPACING_MM = 3.0
_DARK, _BRIGHT = 0.02, 0.98  # quantiles that become 0 and 1


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A region and what lies about it, on the working grid of its scan.

    Attributes:
        corner: Index of the first voxel.
        share: How much of each voxel lies in the region, 0 to 1.
        values: Of the scan; NaN where it has none.
    """

    corner: npt.NDArray[np.int_]
    share: FloatArray = field(repr=False)
    values: FloatArray = field(repr=False)

    @classmethod
    def of(cls, anatomy: Anatomy, region: BoolArray, scan: Scan) -> Part:
        """Takes it out of a scan.

        Args:
            anatomy: Of the scan.
            region: On the grid of the scan.
            scan: The scan.
        """
        grid = anatomy.grid
        share = np.nan_to_num(grid.reduce(region.astype(np.float32)))
        box = ndimage.find_objects((share > 0).astype(np.uint8))[0]
        wide = []
        for axis, part in enumerate(box):
            more = 1 if axis == grid.slice_axis else int(np.ceil(_AROUND_MM / grid.spacing[axis]))
            wide.append(slice(max(0, part.start - more), part.stop + more))
        place = tuple(wide)
        corner = np.array([part.start for part in wide])
        return cls(corner, share[place].copy(), grid.reduce(scan.voxels)[place].copy())

    def read(self, array: FloatArray, to_own: Affine, shape: tuple[int, ...], outside: float) -> FloatArray:
        """Reads `share` or `values` at the voxels of another working grid.

        Args:
            array: One of the two.
            to_own: ``(4, 4)`` from index there to index on the working grid of the region's scan.
            shape: Of the other working grid.
            outside: What voxels hold that lie beside it.
        """
        if array is self.share:  # so that its own edge is no cliff
            array, offset = np.pad(array, 1), to_own[:3, 3] - self.corner + 1
        else:
            offset = to_own[:3, 3] - self.corner
        read = ndimage.affine_transform(
            array, to_own[:3, :3], offset, output_shape=shape, order=1, cval=outside, output=np.float32
        )
        return np.asarray(read, np.float32)


def matched_slices(
    share: FloatArray, values: FloatArray, anatomy: Anatomy, cancel: CancelToken
) -> FloatArray:
    """Deforms what was carried to a scan in the plane of its slices, until it lies on what the scan shows.

    Args:
        share: How much of each voxel lies in the carried region, on the working grid.
        values: Of the scan that it comes from, at the same places; NaN where it has none.
        anatomy: Of the scan it was carried to.
        cancel: Asked between slices.

    Returns:
        The share, deformed.
    """
    axis = anatomy.grid.slice_axis
    spacing = np.delete(np.array(anatomy.grid.spacing), axis)
    factors = [max(1, round(_SPACING_MM / step)) for step in spacing]
    found = share.copy()
    stacks = [np.moveaxis(each, axis, 0) for each in (found, values, anatomy.values)]
    for plane, moving, fixed in zip(*stacks, strict=True):
        cancel.check()
        if not (plane >= 0.5).any() or not np.isfinite(moving).any():
            continue
        box = ndimage.find_objects(np.isfinite(moving).astype(np.uint8))[0]
        theirs, ours = (_scaled(each[box]) for each in (moving, fixed))
        if min(theirs.shape) < 4 * max(factors):
            continue
        shifts = plane_demons(ours, theirs, factors)
        index = np.indices(ours.shape, np.float32) + shifts
        plane[box] = ndimage.map_coordinates(plane[box], index, order=1, cval=0.0)
    return found


def _scaled(values: FloatArray) -> FloatArray:
    """Returns values of which 0 and 1 are a low and a high quantile, as each slice may be scaled apart."""
    known = values[np.isfinite(values)]
    if not known.size:
        return np.zeros(values.shape, np.float32)
    low, high = np.quantile(known, (_DARK, _BRIGHT))
    scaled = (np.nan_to_num(values, nan=float(low)) - low) / max(float(high - low), 1e-6)
    return np.asarray(np.clip(scaled, 0, 1), np.float32)
