"""Grey values on a grid of millimetres: what is aligned, resampled and compared.

`Scan` is what was read; a `Volume` is a plain grey array with its affine, on any grid, in the same
coordinates (LPS millimetres).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.studies.scan import Affine, Scan

Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A grey volume in patient space.

    Attributes:
        values: ``(slices, rows, columns)`` float32. NaN where nothing was measured.
        affine: ``(4, 4)`` array index to LPS millimetres.
    """

    values: Grey = field(repr=False)
    affine: Affine = field(repr=False)

    @property
    def spacing(self) -> npt.NDArray[np.float64]:
        """Distance of neighbouring voxels along each array axis, in mm."""
        lengths: npt.NDArray[np.float64] = np.linalg.norm(self.affine[:3, :3], axis=0)
        return lengths


def volume_of(scan: Scan) -> Volume:
    """Returns the grey values of a scan; colour becomes its mean."""
    voxels = np.asarray(scan.voxels, np.float32)
    return Volume(voxels.mean(axis=-1) if scan.is_colour else voxels, np.asarray(scan.affine, np.float64))


def resample(
    values: npt.NDArray[np.generic],
    affine: Affine,
    shape: tuple[int, ...],
    onto: Affine,
    move: Affine | None = None,
    *,
    order: int = 1,
    outside: float = np.nan,
) -> Grey:
    """Reads a volume at the voxels of another grid.

    Where the target grid is coarser, values are first averaged over about one of its voxels, so that
    nothing is skipped.

    Args:
        values: ``(slices, rows, columns)``; NaN counts as not measured.
        affine: ``(4, 4)`` of `values`, to LPS mm.
        shape: Of the target grid.
        onto: ``(4, 4)`` of the target grid, to mm of its own space.
        move: ``(4, 4)`` from mm of the target's space to LPS mm of the scan; None where they are one.
        order: 0 nearest, 1 linear.
        outside: What voxels hold that lie beside the scan.

    Returns:
        `shape` float32.
    """
    to_scan = onto if move is None else move @ onto
    to_index = np.linalg.inv(affine) @ to_scan
    data = np.asarray(values, np.float32)
    gaps = ~np.isfinite(data)
    holed = bool(gaps.any())
    if holed:
        data = np.where(gaps, np.float32(0), data)
    if order:
        data = _averaged(data, np.abs(to_index[:3, :3]).max(axis=1))

    def drawn(source: npt.NDArray[np.generic], order: int, outside: float) -> Grey:
        picture: Grey = ndimage.affine_transform(
            source, to_index[:3, :3], to_index[:3, 3], output_shape=tuple(shape), order=order,
            mode="constant", cval=outside, output=np.float32,
        )  # fmt: skip
        return picture

    result = drawn(data, order, outside)
    if holed:
        result[drawn(gaps.astype(np.uint8), 0, 0.0) > 0] = outside
    return result


def _averaged(data: Grey, widths: npt.NDArray[np.float64]) -> Grey:
    """Blurs by a box about as wide as a target voxel, along axes where this is more than 1.5 voxels."""
    for axis, width in enumerate(widths):
        size = round(float(width))
        if width > 1.5 and data.shape[axis] > 1:
            data = ndimage.uniform_filter1d(data, size, axis=axis, mode="nearest")
    return data
