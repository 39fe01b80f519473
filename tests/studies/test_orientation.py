"""Canonical axes: exact inverses, stated directions, positions kept."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from napari_d24fad.studies.orientation import Orientation, canonical, canonical_orientation
from napari_d24fad.studies.scan import Photometric, Plane, Scan

# (slice, row, column) directions in LPS, as a radiologist reads each plane.
STATED = {
    Plane.AXIAL: np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]),
    Plane.CORONAL: np.array([[0, 1, 0], [0, 0, -1], [1, 0, 0]]),
    Plane.SAGITTAL: np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]),
}


def rotation(angle: float) -> np.ndarray:
    """About the axis (1, 2, 3), by Rodrigues' formula."""
    x, y, z = np.array([1, 2, 3]) / np.sqrt(14)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def linear_scan(directions: np.ndarray, slice_axis: int, colour: bool = False) -> Scan:
    """A scan of 2x + 3y + 5z with the given axis directions (columns, LPS)."""
    grid = (4, 5, 6)
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array([1.5, 0.7, 0.9])
    affine[:3, 3] = (-20, 31, 7)
    position = np.einsum("ij,jklm->iklm", affine[:3, :3], np.indices(grid)) + affine[:3, 3, None, None, None]
    values = np.tensordot([2, 3, 5], position, 1)
    photometric = Photometric.COLOUR if colour else Photometric.DARK_TO_BRIGHT
    return Scan(
        np.repeat(values[..., None], 3, -1) if colour else values,
        affine,
        photometric=photometric,
        slice_axis=slice_axis,
    )


@pytest.mark.parametrize("angle", [0.0, 0.3])
@pytest.mark.parametrize("slice_axis", [0, 1, 2])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_every_axis_order_and_sign_becomes_the_stated_one(
    order: tuple[int, ...], slice_axis: int, angle: float
) -> None:
    for signs in itertools.product((1, -1), repeat=3):
        directions = rotation(angle) @ (np.eye(3)[:, order] * signs)
        scan = linear_scan(directions, slice_axis)
        upright = canonical(scan)
        assert upright.slice_axis == 0
        assert upright.plane is scan.plane
        assert upright.n_slices == scan.n_slices
        cosines = upright.affine[:3, :3] / np.linalg.norm(upright.affine[:3, :3], axis=0)
        assert upright.plane is not None
        # Within the 0.3 rad of the rotation, each axis runs the stated way.
        assert (np.sum(cosines * STATED[upright.plane].T, axis=0) > np.cos(0.31)).all()
        index = np.indices(upright.grid).reshape(3, -1)
        position = upright.affine[:3, :3] @ index + upright.affine[:3, 3:]
        np.testing.assert_allclose(upright.voxels.reshape(-1), [2, 3, 5] @ position, atol=1e-9)
        assert np.shares_memory(upright.voxels, scan.voxels)


def test_invert_undoes_apply_for_grey_and_colour() -> None:
    for permutation in itertools.permutations(range(3)):
        for flips in itertools.product((False, True), repeat=3):
            orientation = Orientation(permutation, flips)  # type: ignore[arg-type]  # of length 3
            for shape in ((2, 3, 4), (2, 3, 4, 3)):
                array = np.arange(np.prod(shape)).reshape(shape)
                np.testing.assert_array_equal(orientation.invert(orientation.apply(array)), array)
                np.testing.assert_array_equal(orientation.apply(orientation.invert(array)), array)


def test_colour_axis_stays_last() -> None:
    upright = canonical(linear_scan(np.eye(3), slice_axis=2, colour=True))
    assert upright.voxels.shape == (6, 5, 4, 3)


def test_without_geometry_only_the_slice_axis_moves() -> None:
    scan = Scan(np.zeros((4, 5, 6)), np.diag([-1.0, -1, -1, 1]), has_geometry=False, slice_axis=2)
    assert canonical_orientation(scan) == Orientation((2, 0, 1), (False, False, False))
    assert canonical(scan).voxels.shape == (6, 4, 5)
