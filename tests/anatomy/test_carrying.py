"""A region drawn on one scan, in another that lies elsewhere, turned, or on other voxels."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from napari_d24fad.anatomy import carrying
from napari_d24fad.anatomy.carrying import ALIGNED, BY_BOX, Carried, Outline
from napari_d24fad.anatomy.carrying import carried as carried_of
from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import DRAWN, Anatomy, Kind
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
    affine[:3, :3] = np.diag(spacing[::-1])[:, ::-1]
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


def carried(region: BoolArray, on: Scan, to: Scan) -> Carried:
    return carried_of([Outline(region, on)], to)


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
    np.testing.assert_array_equal(here.mask, region)


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
    dark[:, -14:] = 0
    here = carried(region[middle], ours, replace(theirs, voxels=dark))
    assert here.how == BY_BOX
    assert _dice(here.mask, expected[middle]) > 0.9


def test_an_outline_of_its_own_comes_before_those_that_are_carried() -> None:
    on, region = _scan((10.0, 2.0, 2.0))
    to, _ = _scan((10.0, 2.0, 2.0), shift=(6.0, 0.0, 0.0), seed=1)
    own = np.zeros(to.grid, bool)
    own[5:8, 20:30, 20:30] = True
    here = carried_of([Outline(region, on), Outline(own, to)], to)
    assert here.how == DRAWN
    np.testing.assert_array_equal(here.mask, own)
    assert carried_of([Outline(own, to), Outline(region, on)], on).how == DRAWN


def test_where_outlines_differ_most_of_them_decide() -> None:
    """One of three was drawn beside the organ: alone it is wrong, outvoted it does no harm."""
    to, expected = _scan((10.0, 2.0, 2.0), seed=9)
    scans = [_scan((10.0, 2.0, 2.0), seed=n) for n in range(3)]
    wrong = np.roll(scans[0][1], 14, axis=1)
    outlines = [Outline(wrong, scans[0][0]), *(Outline(region, on) for on, region in scans[1:])]
    assert _dice(carried_of(outlines[:1], to).mask, expected) < 0.6
    here = carried_of(outlines, to)
    assert here.how == f"{BY_BOX}, by a vote of 3 outlines"
    assert _dice(here.mask, expected) > 0.85


def test_in_thick_slices_an_organ_of_another_size_is_matched_in_the_plane() -> None:
    on, region = _scan((10.0, 2.0, 2.0))
    to, expected = _scan((10.0, 2.0, 2.0), seed=1)
    larger = ndimage.binary_dilation(expected, np.ones((1, 7, 7)))
    voxels = np.where(larger, to.voxels.max() * 0.85, to.voxels).astype(np.float32)
    here = carried(region, on, replace(to, voxels=voxels))
    assert _dice(here.mask, larger) > _dice(region, larger) + 0.1


def test_outlines_that_do_not_agree_are_not_guessed_from() -> None:
    to, _ = _scan((10.0, 2.0, 2.0), seed=9)
    outlines = []
    for n, rows in enumerate((slice(20, 30), slice(40, 50), slice(60, 70))):
        on, _ = _scan((10.0, 2.0, 2.0), seed=n)
        region = np.zeros(on.grid, bool)
        region[4:9, rows, 30:40] = True
        outlines.append(Outline(region, on))
    with pytest.raises(PairingError, match="do not agree"):
        carried_of(outlines, to)


def test_an_outline_keeps_none_of_the_voxels_and_its_anatomy_is_found_once(monkeypatch) -> None:
    asked: list[int] = []

    def find(scan: Scan, *more: Kind) -> Anatomy:
        asked.append(id(scan))
        return find_anatomy(scan, *more)

    monkeypatch.setattr(carrying, "find_anatomy", find)
    on, region = _scan((10.0, 2.0, 2.0))
    voxels, known = weakref.ref(on.voxels), id(on)
    outline = Outline(region, on, again=lambda: _scan((10.0, 2.0, 2.0))[0])
    del on
    gc.collect()
    assert voxels() is None
    others = [_scan((10.0, 2.0, 2.0), seed=n)[0] for n in range(1, 4)]
    for to in others:
        carried_of([outline], to)
    assert asked == [known, *map(id, others)]
