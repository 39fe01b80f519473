"""The working grid: its order, its means, and the way back to the scan."""

from __future__ import annotations

import numpy as np
import pytest

from napari_d24fad.anatomy.grid import working_grid
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.studies.scan import Scan

AXIAL = np.array([[0, 0, 1.0, -20], [0, 1.0, 0, -30], [2.5, 0, 0, -40], [0, 0, 0, 1]])


def scan_of(shape: tuple[int, int, int], affine: np.ndarray) -> Scan:
    """Every voxel holds 100 z + 10 y + x of its place in the patient."""
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij")).reshape(3, -1)
    x, y, z = affine[:3, :3] @ index + affine[:3, 3:]
    return Scan((100 * z + 10 * y + x).reshape(shape).astype(np.float32), affine)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, -1)])
def test_same_place_in_every_order(order: tuple[int, int, int], flips: tuple[int, int, int]) -> None:
    straight = working_grid(scan_of((8, 12, 10), AXIAL), (5, 2, 2))
    want = straight.reduce(scan_of((8, 12, 10), AXIAL).voxels)
    voxels = scan_of((8, 12, 10), AXIAL).voxels[:: flips[0], :: flips[1], :: flips[2]].transpose(order)
    affine = AXIAL.copy()
    for axis, (flip, length) in enumerate(zip(flips, (8, 12, 10), strict=True)):
        if flip < 0:
            affine[:3, 3] += affine[:3, axis] * (length - 1)
            affine[:3, axis] *= -1
    affine = affine[:, [*order, 3]]
    scan = Scan(voxels, affine, slice_axis=order.index(0))
    grid = working_grid(scan, (5, 2, 2))
    assert grid.blocks == (2, 2, 2)
    np.testing.assert_allclose(grid.reduce(scan.voxels), want)
    np.testing.assert_allclose(grid.affine, straight.affine)
    middle = grid.scan_index(np.array([1.0, 2, 3]))
    place = scan.affine[:3, :3] @ middle + scan.affine[:3, 3]
    np.testing.assert_allclose(place, (grid.affine @ [1, 2, 3, 1])[:3])


def test_last_partial_block_and_values_that_are_missing() -> None:
    voxels = np.arange(5, dtype=np.float32).reshape(5, 1, 1).copy()
    voxels[1] = np.nan
    grid = working_grid(Scan(voxels, np.diag([1.0, 1, 1, 1])[[2, 1, 0, 3]]), (2, 1, 1))
    np.testing.assert_array_equal(grid.reduce(voxels).ravel(), [0, 2.5, 4])
    np.testing.assert_array_equal(grid.expand(np.array([[[7]], [[8]], [[9]]])).ravel(), [7, 7, 8, 8, 9])
    np.testing.assert_array_equal(grid.scan_slices(np.array([7, 8, 9], np.float32)), [7, 7, 8, 8, 9])
    assert grid.scan_slice_range(1, 2) == (2, 4)
    for mask in ([True, False, False], [False, True, True]):
        array = np.array(mask).reshape(3, 1, 1)
        assert grid.scan_counts(array.astype(np.int32))[1] == int(grid.expand(array).sum())


def test_without_geometry_slices_come_first_and_nothing_is_averaged() -> None:
    scan = Scan(np.zeros((4, 6, 3), np.float32), np.eye(4), has_geometry=False, slice_axis=2)
    grid = working_grid(scan, (5, 5, 5))
    assert grid.shape == (3, 4, 6)
    assert not grid.sided
    assert grid.blocks == (1, 1, 1)


def test_where_sides_are_not_known_none_is_claimed_but_lengths_count() -> None:
    scan = Scan(np.zeros((4, 6, 3), np.float32), -AXIAL, sides_known=False, slice_axis=2)
    grid = working_grid(scan, (3, 5, 5))
    assert not grid.sided
    assert grid.orientation == canonical_orientation(scan)
    assert grid.blocks == (3, 2, 5)


def test_large_scan_is_converted_in_parts() -> None:
    seen: list[int] = []

    def watch(part: np.ndarray) -> np.ndarray:
        seen.append(part.size)
        return part

    voxels = np.zeros((96, 256, 256), np.int16)
    grid = working_grid(Scan(voxels, AXIAL), (5, 2, 2))
    assert grid.reduce(voxels, watch).shape == (48, 128, 128)
    assert max(seen) <= 2**22
