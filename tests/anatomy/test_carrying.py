"""A region drawn on one scan, in another that lies elsewhere, turned, or on other voxels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from napari_d24fad.anatomy.carrying import ALIGNED, BY_BOX, DRAWN, carried
from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import Kind
from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.scan import Scan

_HALF = np.array([70.0, 90.0, 60.0])  # of the body along LPS
_ORGAN, _ORGAN_HALF = np.array([25.0, -20.0, 10.0]), np.array([16.0, 20.0, 14.0])
_PARTS = (
    ((-30.0, 30.0, -15.0), 18.0, 60.0),
    ((0.0, -50.0, 25.0), 14.0, -50.0),
    ((-20.0, -25.0, 30.0), 12.0, 80.0),
)


def _scan(
    spacing: tuple[float, float, float] = (3.0, 3.0, 3.0),
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0),
    turn: float = 0.0,
    size: float = 1.0,
    seed: int = 0,
) -> tuple[Scan, BoolArray]:
    """Draws a body with an organ and landmarks; returns the scan and the organ on its voxels."""
    shape = tuple(int(2 * (half + 24) / step) for half, step in zip(_HALF[::-1], spacing, strict=True))
    affine = np.eye(4)
    affine[:3, :3] = np.diag(spacing)[:, ::-1]
    affine[:3, 3] = -(affine[:3, :3] @ (np.array(shape) - 1)) / 2
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    points = index @ affine[:3, :3].T + affine[:3, 3] - shift
    points = points @ Rotation.from_euler("z", turn, degrees=True).as_matrix() / size
    inside = ((points / _HALF) ** 2).sum(axis=-1) <= 1
    values = np.where(inside, 100.0, 0.0)
    for centre, radius, step in _PARTS:
        values[np.linalg.norm(points - centre, axis=-1) <= radius] += step
    organ = (((points - _ORGAN) / _ORGAN_HALF) ** 2).sum(axis=-1) <= 1
    values[organ] += 40
    noise = np.random.default_rng(seed).normal(0, 2, shape)
    voxels = (ndimage.gaussian_filter(values, 0.6) + np.where(inside, noise, 0)).astype(np.float32)
    return Scan(voxels, affine, modality="MR"), organ


def _dice(one: BoolArray, other: BoolArray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def test_a_scan_that_is_shifted_turned_and_on_other_voxels_is_aligned() -> None:
    on, region = _scan()
    to, expected = _scan((4.0, 2.5, 3.5), shift=(12.0, -9.0, 8.0), turn=14.0, size=1.06, seed=1)
    here = carried(region, on, to)
    assert here.how == ALIGNED
    assert here.mask.shape == to.grid
    assert _dice(here.mask, expected) > 0.85
    assert not here.problems


def test_a_stack_of_thick_slices_takes_the_place_in_the_box() -> None:
    on, region = _scan((10.0, 2.0, 2.0))
    to, expected = _scan((10.0, 3.0, 1.5), shift=(-10.0, 6.0, 0.0), size=1.1, seed=1)
    here = carried(region, on, to)
    assert here.how == BY_BOX
    assert _dice(here.mask, expected) > 0.8


def test_the_box_is_that_of_the_patient_whatever_the_order_of_the_array() -> None:
    on, region = _scan((10.0, 2.0, 2.0))
    to, expected = _scan((10.0, 2.0, 2.0), seed=1)
    flipped = to.affine.copy()
    flipped[:3, 3] += flipped[:3, 0] * (to.grid[0] - 1)
    flipped[:3, 0] *= -1
    other = replace(to, voxels=to.voxels[::-1], affine=flipped)
    assert _dice(carried(region, on, other).mask, expected[::-1]) > 0.9


def test_on_its_own_scan_a_region_is_what_was_drawn() -> None:
    on, region = _scan()
    here = carried(region, on, on)
    assert here.how == DRAWN
    assert here.mask is region


def test_what_cannot_be_aligned_is_told() -> None:
    on, region = _scan()
    half, expected = _scan(size=0.55, seed=1)
    here = carried(region, on, half)
    assert here.how == BY_BOX
    assert [problem.code for problem in here.problems] == [Code.NOT_ALIGNED]
    assert _dice(here.mask, expected) > 0.7


def test_sides_that_only_one_scan_states_are_not_guessed() -> None:
    on, region = _scan((10.0, 2.0, 2.0))
    to, _ = _scan((10.0, 2.0, 2.0), seed=1)
    with pytest.raises(PairingError, match="sides") as refused:
        carried(region, on, replace(to, sides_known=False))
    assert refused.value.code is Code.REGION_NOT_CARRIED


def test_where_one_was_cut_out_both_boxes_are_those_of_the_body_and_that_is_told() -> None:
    on, region = _scan((10.0, 2.0, 2.0))
    to, expected = _scan((10.0, 2.0, 2.0), shift=(8.0, 0.0, 0.0), seed=1)
    noisy = np.where(to.voxels == 0, np.random.default_rng(2).uniform(0.1, 4, to.grid), to.voxels)
    other = replace(to, voxels=noisy.astype(np.float32))
    assert find_anatomy(on).kind is Kind.TISSUE
    assert find_anatomy(other).kind is Kind.BODY
    here = carried(region, on, other)
    assert _dice(here.mask, expected) > 0.8
    assert [problem.code for problem in here.problems] == [Code.MASK_REPLACED]


def test_where_the_body_goes_on_beyond_the_picture_the_box_is_that_of_the_picture() -> None:
    on, region = _scan((10.0, 2.0, 2.0))
    to, expected = _scan((10.0, 2.0, 2.0), seed=1)
    # Both show the same middle of the body; in one a corner of it is dark.
    middle = (slice(None), slice(30, -30), slice(24, -24))
    ours, theirs = (replace(scan, voxels=np.ascontiguousarray(scan.voxels[middle])) for scan in (on, to))
    dark = theirs.voxels.copy()
    dark[:, :14] = 0
    here = carried(region[middle], ours, replace(theirs, voxels=dark))
    assert here.how == BY_BOX
    assert _dice(here.mask, expected[middle]) > 0.9
