"""A working grid that is the same in every scan: the voxels of a template, and the way to them and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.deformation import Deformation, warped
from napari_d24fad.anatomy.grid import FloatArray, WorkingGrid
from napari_d24fad.anatomy.volume import Volume, resample
from napari_d24fad.studies.scan import Affine, Scan

_INVERSIONS = 6


@dataclass(frozen=True, slots=True, eq=False)
class CommonGrid(WorkingGrid):
    """The voxels of a template, seen in one scan.

    `affine` leads to mm of the scan without the deformation, which moves by a few mm.

    Attributes:
        scan_affine: ``(4, 4)`` of the scan.
        template: Whose grid it is.
        move: ``(4, 4)`` from mm of the template to LPS mm of the scan.
        deformation: After `move`; None if there is none.
    """

    scan_affine: Affine = field(repr=False)
    template: Volume = field(repr=False)
    move: Affine = field(repr=False)
    deformation: Deformation | None = field(repr=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """See `WorkingGrid.shape`."""
        first, second, third = self.template.values.shape
        return first, second, third

    def reduce(
        self, array: npt.NDArray[Any], of: Callable[[FloatArray], FloatArray] | None = None
    ) -> FloatArray:
        """Reads an array on the grid of the scan at the voxels of the template; NaN beside the scan."""
        values = np.asarray(array, np.float32)
        scan = Volume(values if of is None else of(values), self.scan_affine)
        return warped(scan, self.template, self.move, self.deformation)

    def expand(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Reads an array on this grid at the voxels of the scan; see `read`."""
        return self.read(array, np.zeros(3, np.intp), self.scan_grid)

    def read(
        self, array: npt.NDArray[Any], first: npt.NDArray[np.intp], shape: tuple[int, int, int]
    ) -> npt.NDArray[Any]:
        """Reads an array on this grid at the voxels of a part of the scan.

        Whole numbers and masks are those of the nearest voxel, and 0 beside the template; others lie
        between voxels and are NaN there.

        Args:
            array: On this grid.
            first: Index in the scan of the first voxel of the part.
            shape: Of the part.
        """
        affine = self.scan_affine.copy()
        affine[:3, 3] += affine[:3, :3] @ first
        whole = array.dtype.kind in "biu"
        straight = self._without_deformation(array, whole)
        back: Affine = np.linalg.inv(self.move).astype(np.float64)
        found = resample(
            straight, self.template.affine, shape, affine, back,
            order=0 if whole else 1, outside=0.0 if whole else np.nan,
        )  # fmt: skip
        return found.astype(array.dtype) if whole else found

    def scan_counts(self, labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """See `WorkingGrid.scan_counts`."""
        counts = np.bincount(self.expand(labels).ravel(), minlength=int(labels.max()) + 1)
        counts[0] = 0
        return counts.astype(np.int64)

    def scan_slices(self, values: FloatArray) -> FloatArray:
        """See `WorkingGrid.scan_slices`: read where the slices of the scan cross the middle of the grid."""
        places = self._slice_places()
        order = np.arange(len(values))
        known = np.isfinite(values)
        inside = (places >= -0.5) & (places <= len(values) - 0.5)
        if not known.any():
            return np.full(len(places), np.nan, np.float32)
        read = np.interp(places, order[known], values[known])
        nearest = np.clip(np.rint(places).astype(int), 0, len(values) - 1)
        return np.where(inside & known[nearest], read, np.nan).astype(np.float32)

    def scan_slice_range(self, first: int, last: int) -> tuple[int, int]:
        """See `WorkingGrid.scan_slice_range`."""
        places = self._slice_places()
        inside = np.flatnonzero((places >= first - 0.5) & (places <= last + 0.5))
        if not inside.size:
            inside = np.array([int(np.abs(places - (first + last) / 2).argmin())])
        return int(inside[0]), int(inside[-1])

    def scan_index(self, index: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
        """See `WorkingGrid.scan_index`."""
        place = self.template.affine[:3, :3] @ index + self.template.affine[:3, 3]
        if self.deformation is not None:
            at = np.linalg.inv(self.deformation.affine) @ [*place, 1.0]
            moves = np.moveaxis(self.deformation.moves, -1, 0)
            place = place + [
                float(ndimage.map_coordinates(part, at[:3, np.newaxis], order=1, mode="nearest")[0])
                for part in moves
            ]
        to_scan = np.linalg.inv(self.scan_affine) @ self.move
        found: npt.NDArray[np.float64] = to_scan[:3, :3] @ place + to_scan[:3, 3]
        return np.clip(found, 0, np.array(self.scan_grid) - 1)

    def _slice_places(self) -> npt.NDArray[np.float64]:
        """Where the middle of each slice of the scan lies along `slice_axis` here."""
        axis = int(np.argmax(np.abs(self._directions()[self.slice_axis])))
        middle = self.scan_index((np.array(self.shape) - 1) / 2)
        points = np.repeat(middle[:, np.newaxis], self.scan_grid[axis], axis=1)
        points[axis] = np.arange(self.scan_grid[axis])
        here = np.linalg.inv(self.move @ self.template.affine) @ self.scan_affine
        return np.asarray(here[self.slice_axis, :3] @ points + here[self.slice_axis, 3])

    def _directions(self) -> npt.NDArray[np.float64]:
        """How far a step along each axis of the scan (columns) leads along each axis here, in mm."""
        here = np.linalg.inv(self.move @ self.template.affine) @ self.scan_affine
        directions: npt.NDArray[np.float64] = here[:3, :3] / np.linalg.norm(here[:3, :3], axis=0)
        return directions

    def _without_deformation(self, array: npt.NDArray[Any], whole: bool) -> npt.NDArray[np.float32]:
        if self.deformation is None:
            return np.asarray(array, np.float32)
        source = _read_from(self.template, self.deformation)
        values = np.asarray(array, np.float32)
        gaps = ~np.isfinite(values)
        filled = np.where(gaps, 0, values)
        read: npt.NDArray[np.float32] = ndimage.map_coordinates(
            filled, source, order=0 if whole else 1, mode="nearest"
        )
        if gaps.any():
            read[ndimage.map_coordinates(gaps.astype(np.uint8), source, order=0, mode="nearest") > 0] = np.nan
        return read


@lru_cache(maxsize=2)  # a scan is read back many times, for each map and each region
def _read_from(template: Volume, deformation: Deformation) -> npt.NDArray[np.float32]:
    """Returns ``(3, *shape)``, the index on the template from which a deformation leads to each voxel."""
    to_index = np.linalg.inv(template.affine)[:3, :3]
    field_ = np.einsum("ij,j...->i...", to_index, deformation.shifts(template))
    places = np.indices(template.values.shape, np.float32)
    source = places
    for _ in range(_INVERSIONS):  # what y leads to y + shift(y) = here
        shift = [ndimage.map_coordinates(part, source, order=1, mode="nearest") for part in field_]
        source = places - np.stack(shift)
    return source


def common_grid(scan: Scan, template: Volume, move: Affine, deformation: Deformation | None) -> CommonGrid:
    """Makes the grid of a template in a scan.

    Args:
        scan: The scan.
        template: Its array must run along (z, y, x): upwards, backwards, to the left.
        move: ``(4, 4)`` from mm of the template to LPS mm of the scan.
        deformation: After `move`; None if there is none.
    """
    from napari_d24fad.anatomy.grid import working_grid

    first, second, third = (float(step) for step in template.spacing)
    plain = working_grid(scan, (first, second, third))
    directions = np.abs((np.linalg.inv(move @ template.affine) @ scan.affine)[:3, scan.slice_axis])
    return CommonGrid(
        orientation=plain.orientation,
        blocks=plain.blocks,
        scan_grid=scan.grid,
        spacing=(first, second, third),
        affine=move @ template.affine,
        slice_axis=int(directions.argmax()),
        sided=plain.sided,
        scan_affine=np.asarray(scan.affine, np.float64),
        template=template,
        move=move,
        deformation=deformation,
    )
