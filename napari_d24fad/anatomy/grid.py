"""The working grid: a scan in axial order, averaged to the resolution that it is examined at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_d24fad.studies.orientation import Orientation, canonical_orientation
from napari_d24fad.studies.scan import Affine, Scan

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Millimetres = tuple[float, float, float]

_PART = 2**22  # voxels that are converted at once


@dataclass(frozen=True, slots=True, eq=False)
class WorkingGrid:
    """A coarser grid over a scan, its axes in one order for all scans, and the way there and back.

    The axes run (inferior to superior, anterior to posterior, right to left) for a volume whose
    sides are known, whatever plane it was scanned in; an oblique scan takes the nearest directions.
    Where sides are not known, the slice axis comes first and nothing is reversed.

    Attributes:
        orientation: From the array of the scan to this order.
        blocks: How many voxels of the scan one voxel here is the mean of, along each axis here.
        scan_grid: Shape of the scan, in the scan's own order.
        spacing: Of this grid along its axes, in mm (voxels of the scan without geometry).
        affine: ``(4, 4)`` index on this grid to LPS mm.
        slice_axis: The axis here that the slices of the scan are stacked along.
        sided: Whether left and right are known, so that they may be compared.
    """

    orientation: Orientation
    blocks: tuple[int, int, int]
    scan_grid: tuple[int, int, int]
    spacing: Millimetres
    affine: Affine = field(repr=False)
    slice_axis: int
    sided: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of arrays on this grid; a last, partial block counts."""
        full = self._full()
        first, second, third = (-(-length // block) for length, block in zip(full, self.blocks, strict=True))
        return first, second, third

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel in mm3 (voxels of the scan without geometry)."""
        return float(np.prod(self.spacing))

    def reduce(
        self, array: npt.NDArray[Any], of: Callable[[FloatArray], FloatArray] | None = None
    ) -> FloatArray:
        """Averages an array on the grid of the scan over blocks; values that are not finite do not count.

        Args:
            array: On the grid of the scan.
            of: Applied to the values, part by part, before they are averaged.

        Returns:
            float32 on this grid, NaN where a block holds no finite value.
        """
        ordered = self.orientation.apply(array)
        reduced = np.empty(self.shape, np.float32)
        step = max(1, round(_PART / max(1, ordered[0].size) / self.blocks[0]))
        for first in range(0, self.shape[0], step):  # a copy of a whole volume would double the memory
            part = ordered[first * self.blocks[0] : (first + step) * self.blocks[0]].astype(np.float32)
            part = part if of is None else of(part)
            for axis in (2, 1, 0):
                if self.blocks[axis] > 1:
                    part = _block_mean(part, axis, self.blocks[axis])
            reduced[first : first + step] = part
        return reduced

    def expand(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Brings an array on this grid to the grid of the scan by repeating its voxels."""
        expanded = np.empty(self.scan_grid, array.dtype)
        ordered = self.orientation.apply(expanded)  # a view
        (thick, high, wide), (_, rows, columns) = self.blocks, self._full()
        for index, plane in enumerate(array):  # copies of a whole volume would not fit beside the others
            fine = np.repeat(np.repeat(plane, high, axis=0)[:rows], wide, axis=1)[:, :columns]
            ordered[index * thick : (index + 1) * thick] = fine
        return expanded

    def scan_counts(self, labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Returns how many voxels of the scan each label on this grid covers, by label; 0 is not counted."""
        sizes = [
            np.minimum(block, length - block * np.arange(count))
            for block, length, count in zip(self.blocks, self._full(), self.shape, strict=True)
        ]
        places = np.nonzero(labels)
        covered = np.prod([own[at] for own, at in zip(sizes, places, strict=True)], axis=0)
        counts = np.bincount(labels[places], covered, minlength=int(labels.max()) + 1)
        return counts.astype(np.int64)

    def scan_slices(self, values: FloatArray) -> FloatArray:
        """Brings one value per slice of this grid to one per slice of the scan.

        Args:
            values: One per index along `slice_axis`.
        """
        length = self._full()[self.slice_axis]
        repeated = np.repeat(values, self.blocks[self.slice_axis])[:length]
        flipped = self.orientation.flips[self.slice_axis]
        return np.ascontiguousarray(repeated[::-1] if flipped else repeated)

    def scan_slice_range(self, first: int, last: int) -> tuple[int, int]:
        """Returns the first and last slice of the scan that slices of this grid cover."""
        block, length = self.blocks[self.slice_axis], self._full()[self.slice_axis]
        start, stop = first * block, min((last + 1) * block, length) - 1
        if self.orientation.flips[self.slice_axis]:
            start, stop = length - 1 - stop, length - 1 - start
        return start, stop

    def scan_index(self, index: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
        """Returns where a point of this grid lies in the array of the scan.

        Args:
            index: ``(3,)`` on this grid.
        """
        matrix = self.scan_matrix
        return np.asarray(matrix[:3, :3] @ index + matrix[:3, 3])

    @property
    def scan_matrix(self) -> Affine:
        """``(4, 4)`` from index on this grid to index in the array of the scan."""
        blocks = np.array(self.blocks)
        to_canonical = np.diag([*blocks.astype(float), 1.0])
        to_canonical[:3, 3] = (blocks - 1) / 2
        return np.asarray(self.orientation.index_transform(self.scan_grid) @ to_canonical, np.float64)

    def _full(self) -> tuple[int, int, int]:
        first, second, third = (self.scan_grid[axis] for axis in self.orientation.permutation)
        return first, second, third


def working_grid(scan: Scan, spacing: Millimetres) -> WorkingGrid:
    """Chooses the grid whose voxels are as near to a size as whole blocks of the scan come.

    Args:
        scan: Any scan; what is coarser than ``spacing`` is left as it is.
        spacing: Wanted along (slice, row, column) of the axial order, in mm.
    """
    orientation = _axial_order(scan)
    fine = [scan.spacing[axis] for axis in orientation.permutation]
    blocks = [
        max(1, round(want / have)) if scan.has_geometry else 1
        for want, have in zip(spacing, fine, strict=True)
    ]
    transform = scan.affine @ orientation.index_transform(scan.grid)
    affine = transform.copy()
    affine[:3, :3] = transform[:3, :3] * blocks
    affine[:3, 3] += transform[:3, :3] @ ((np.array(blocks) - 1) / 2)
    return WorkingGrid(
        orientation,
        (blocks[0], blocks[1], blocks[2]),
        scan.grid,
        (fine[0] * blocks[0], fine[1] * blocks[1], fine[2] * blocks[2]),
        affine,
        orientation.permutation.index(scan.slice_axis),
        scan.in_patient,
    )


def _axial_order(scan: Scan) -> Orientation:
    """Returns how to bring a scan to the order of an axial one, whatever its plane."""
    if not scan.in_patient:
        return canonical_orientation(scan)
    directions = scan.affine[:3, :3] / np.linalg.norm(scan.affine[:3, :3], axis=0)
    orders = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    # Array axes for (z, y, x): those that together run nearest to the patient's.
    best = max(orders, key=lambda order: sum(abs(directions[2 - k, axis]) for k, axis in enumerate(order)))
    flips = tuple(bool(directions[2 - k, axis] < 0) for k, axis in enumerate(best))
    return Orientation(best, (flips[0], flips[1], flips[2]))


def _block_mean(array: FloatArray, axis: int, block: int) -> FloatArray:
    """Returns means of blocks along an axis, of finite values only."""
    moved = np.moveaxis(array, axis, 0)
    whole = len(moved) // block
    parts = [moved[: whole * block].reshape(whole, block, *moved.shape[1:])]
    if len(moved) % block:
        parts.append(moved[whole * block :][np.newaxis])
    means = []
    for part in parts:
        finite = np.isfinite(part)
        if finite.all():
            means.append(part.mean(axis=1))
            continue
        count = finite.sum(axis=1)
        total = np.where(finite, part, 0).sum(axis=1)
        means.append(np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32))
    return np.ascontiguousarray(np.moveaxis(np.concatenate(means), 0, axis), dtype=np.float32)
