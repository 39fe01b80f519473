"""The map beside bone: what bone in the next slice explains counts half, the rim is taken in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.anatomy.brain_window import BrainWindow
from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import Anatomy, Kind
from napari_d24fad.anatomy.grid import working_grid
from napari_d24fad.anatomy.place import Place
from napari_d24fad.anatomy.rim import with_rim
from napari_d24fad.detection.atlas.edges import at_edges
from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.studies.scan import Scan
from tests.anatomy.heads import Clot, Head, draw

SHAPE = (6, 30, 30)
PLAN = head_ct_plan()
BESIDE = PLAN.doubtful_bins[0]


def volume(bone: np.ndarray | None = None) -> WorkingVolume:
    """A block of brain of 1.5 x 1.5 x 5 mm; its columns from 20 on lie where the next slice holds bone."""
    affine = np.array([[0, 0, 1.5, 0], [0, 1.5, 0, 0], [5.0, 0, 0, 0], [0, 0, 0, 1]])
    grid = working_grid(Scan(np.zeros(SHAPE, np.float32), affine), (5.0, 1.5, 1.5))
    mask = np.ones(SHAPE, bool)
    mask[:, :5] = False
    values = np.zeros(SHAPE, np.float32)
    anatomy = Anatomy(Kind.INTRACRANIAL, grid, mask, values, BrainWindow(1, 0, "HU"), bone)
    bins = np.zeros(SHAPE, np.int8)
    bins[:, :, 20:] = BESIDE
    place = Place(np.zeros((3, *SHAPE), np.float32), np.full(SHAPE, 9, np.float32))
    return WorkingVolume(anatomy, place, values, mask, bins, 10)


def fused() -> np.ndarray:
    found = np.zeros(SHAPE, np.float32)
    found[2, 8:11, 24:28] = 5  # only where bone explains it
    found[2, 14:17, 16:28] = 5  # goes on where it does not
    found[2, 20:23, 18:28] = 5
    found[2, 20:23, 18:20] = 2  # fades there
    found[4, 8:11, 24:28] = 5
    found[:, :5] = np.nan
    return found


def test_of_what_is_bright_only_where_bone_explains_it_half_counts() -> None:
    before = fused()
    after = at_edges(before, volume(), PLAN, 1)
    assert (after[2, 8:11, 24:28] == 2.5).all()
    assert (after[4, 8:11, 24:28] == 2.5).all()
    assert (after[2, 14:17, 16:28] == 5).all()
    assert (after[2, 20:23, 20:28] == 3.5).all()
    np.testing.assert_array_equal(after[:, :, :20], before[:, :, :20])


@pytest.mark.parametrize(
    ("plan", "sign"), [(PLAN, -1), (replace(PLAN, doubtful_bins=()), 1)], ids=["darker", "no doubt"]
)
def test_bone_explains_nothing_that_is_darker(plan: object, sign: int) -> None:
    np.testing.assert_array_equal(at_edges(fused(), volume(), plan, sign), fused())  # type: ignore[arg-type]


def test_the_rim_gets_half_of_what_lies_beside_it() -> None:
    bone = np.zeros(SHAPE, bool)
    bone[:, :5] = True
    bone[:, :5, :10] = False
    own = volume(bone)
    rim = with_rim(own.anatomy) & ~own.anatomy.mask
    assert rim.sum() == 6 * 20  # one voxel of 1.5 mm, where there is bone
    assert rim[:, 4, 10:].all()
    after = at_edges(np.where(own.anatomy.mask, np.float32(4), np.float32(np.nan)), own, PLAN, -1)
    np.testing.assert_allclose(after[rim], 2)
    assert np.isnan(after[~own.anatomy.mask & ~rim]).all()
    body = replace(own.anatomy, kind=Kind.BODY)
    np.testing.assert_array_equal(with_rim(body), own.anatomy.mask)


def test_clot_beside_bone_is_anatomy_to_its_edge() -> None:
    # Denser than most: with noise its edge is taken for bone.
    scan, _, clot = draw(
        Head(
            spacing=(5.0, 1.5, 1.5), low=0, high=40, windowed=True, noise=6, clots=[Clot((52, 0, 15), 24, 84)]
        )
    )
    anatomy = find_anatomy(scan)
    without, mask = (anatomy.grid.expand(each) for each in (anatomy.mask, with_rim(anatomy)))
    lost, left = (clot & ~without).sum(), (clot & ~mask).sum()
    assert lost > 0.04 * clot.sum()
    assert left < 0.4 * lost
