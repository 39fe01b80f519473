"""A region that is drawn on one head and read in heads that lie otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.detection.atlas.inside import CommonOutline, CommonRegion
from napari_d24fad.detection.atlas.measured import MeasuredScan, measure_scan
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan
from tests.anatomy.heads import Clot, Head, Point, draw
from tests.detection.atlas.conftest import COARSE

INSIDE, OUTSIDE = Clot((35, 20, 25), 9), Clot((-20, -40, 25), 12)
BALL: tuple[Point, float] = ((35, 20, 25), 24)
PLAN = head_ct_plan()


def _ball(head: Head, at: Point = BALL[0]) -> BoolArray:
    """The ball about a place of the head that lies straight, on the voxels of one that does not."""
    radius = BALL[1]
    return draw(replace(head, clots=[Clot(at, radius)]))[2]


def _measured(scan: Scan) -> MeasuredScan:
    return measure_scan(scan, PLAN, Direction.BRIGHTER, CancelToken())


def _region(mask: BoolArray, on: MeasuredScan) -> CommonRegion:
    return CommonRegion("key", (CommonOutline.of(mask, on.volume, on.identity.split()[0]),))


@pytest.fixture
def heads(references: AtlasReferences) -> list[MeasuredScan]:
    return list(references.scans)


@pytest.fixture
def region(heads: list[MeasuredScan]) -> CommonRegion:
    return _region(_ball(replace(COARSE, seed=0, turn=-6)), heads[0])


@pytest.mark.parametrize(
    "head",
    [
        replace(COARSE, seed=7, turn=18, tilt=6),
        replace(COARSE, seed=8, spacing=(2.5, 2.0, 3.0)),
        replace(COARSE, seed=9, nod=8),
    ],
)
def test_a_region_lies_at_the_same_place_of_a_head_that_is_turned_or_on_other_voxels(
    head: Head, region: CommonRegion
) -> None:
    other = _measured(draw(head)[0])
    found = region.within(other.volume, other.identity).anatomy
    mask = np.asarray(found.grid.expand(found.mask), bool)
    expected = _ball(head)
    assert found.how.startswith("carried by place in the common space")
    overlap = 2 * (mask & expected).sum() / (mask.sum() + expected.sum())
    assert overlap > 0.7
    apart = (np.argwhere(mask).mean(axis=0) - np.argwhere(expected).mean(axis=0)) * head.spacing
    assert np.linalg.norm(apart) < 7
    # Nearly the same amount of each head.
    assert mask.sum() == pytest.approx(expected.sum(), rel=0.25)


def test_on_its_own_scan_a_region_is_what_was_drawn(heads: list[MeasuredScan], region: CommonRegion) -> None:
    volume = heads[0].volume
    own = region.within(volume, heads[0].identity).anatomy
    drawn = volume.anatomy.grid.reduce(_ball(replace(COARSE, seed=0, turn=-6)).astype(np.float32)) >= 0.5
    np.testing.assert_array_equal(own.mask, drawn & volume.anatomy.mask)
    assert own.how == "drawn on this scan"


def test_of_several_outlines_a_scan_has_its_own_and_others_what_most_hold(
    heads: list[MeasuredScan],
) -> None:
    turns = [replace(COARSE, seed=seed, turn=3 * seed - 6) for seed in range(3)]
    balls = [_ball(turns[0]), _ball(turns[1]), _ball(turns[2], (-30, 30, 30))]
    on = heads[:3]
    outlines = tuple(
        CommonOutline.of(ball, scan.volume, scan.identity.split()[0])
        for ball, scan in zip(balls, on, strict=True)
    )
    region = CommonRegion("key", outlines)
    for ball, scan in zip(balls, on, strict=True):
        own = region.within(scan.volume, scan.identity).anatomy
        assert own.how == "drawn on this scan"
        drawn = np.asarray(own.grid.reduce(ball.astype(np.float32)) >= 0.5)
        np.testing.assert_array_equal(own.mask, drawn & scan.volume.anatomy.mask)
    other = region.within(heads[3].volume, heads[3].identity).anatomy
    assert other.how.endswith("by a vote of 3 outlines")
    expected = _ball(replace(COARSE, seed=3, turn=3))
    mask = np.asarray(other.grid.expand(other.mask), bool)
    assert 2 * (mask & expected).sum() / (mask.sum() + expected.sum()) > 0.6  # the third is outvoted


def test_nothing_outside_the_region_is_scored_coloured_listed_or_counted(
    heads: list[MeasuredScan], region: CommonRegion
) -> None:
    plan = PLAN.within(region, 50_000.0)
    here = AtlasReferences.of(heads, plan, Direction.BRIGHTER)
    everywhere = AtlasReferences.of(heads, PLAN, Direction.BRIGHTER)
    head = replace(COARSE, seed=10, turn=12, clots=[INSIDE, OUTSIDE])
    query = _measured(draw(head)[0])
    found, all_of_it = here.examine_measured(query), everywhere.examine_measured(query)
    mask = found.anatomy_mask()
    assert 0 < mask.sum() < 0.2 * all_of_it.anatomy_mask().sum()
    np.testing.assert_array_equal(np.isfinite(found.map()), mask)
    for name in ("value", "asymmetry", "patches"):
        assert not np.isfinite(found.channel_map(name))[~mask].any()
    assert not found.coloured(4.0)[~mask].any()
    inside = draw(replace(COARSE, seed=10, turn=12, clots=[INSIDE]))[2]
    outside = draw(replace(COARSE, seed=10, turn=12, clots=[OUTSIDE]))[2]
    assert (all_of_it.coloured(1.0) & outside).any()
    assert (found.coloured(1.0) & inside).sum() > 0.5 * inside.sum()
    assert all(mask[region.peak_index] for region in found.regions)
    assert np.isnan(found.slice_scores[~mask.any(axis=(1, 2))]).all()
    # Score, levels and what references show are of the region: they do not move with what lies elsewhere.
    alone = here.examine_measured(_measured(draw(replace(head, clots=[INSIDE]))[0]))
    assert found.score == pytest.approx(alone.score, rel=0.03)
    assert len(found.told(1.0)) == len(alone.told(1.0))
    without = here.examine_measured(_measured(draw(replace(head, clots=[OUTSIDE]))[0]))
    assert without.score < 0.5 * found.score
    assert here.levels.value != everywhere.levels.value
    assert here.normal_scores != everywhere.normal_scores


def test_a_region_beside_the_anatomy_is_refused(heads: list[MeasuredScan]) -> None:
    mask = np.zeros(heads[0].volume.anatomy.grid.scan_grid, bool)
    mask[:, :4, :4] = True
    with pytest.raises(PairingError) as refused:
        _region(mask, heads[0])
    assert refused.value.code is Code.REGION_EMPTY


def test_a_scan_that_does_not_show_the_place_is_refused(region: CommonRegion) -> None:
    part = _measured(draw(replace(COARSE, seed=3))[0])
    low = replace(part.volume.place, coordinates=part.volume.place.coordinates + np.float32(300))
    with pytest.raises(PairingError) as refused:
        region.within(replace(part.volume, place=low), part.identity)
    assert refused.value.code is Code.REGION_NOT_CARRIED


def test_of_one_slice_of_several_that_are_one_voxel_here_the_region_stays(heads: list[MeasuredScan]) -> None:
    fine = _measured(draw(replace(COARSE, seed=4, spacing=(1.0, 2.5, 2.5)))[0])
    ball = _ball(replace(COARSE, seed=4, spacing=(1.0, 2.5, 2.5)))
    ball[np.arange(len(ball)) != int(np.argwhere(ball)[:, 0].mean())] = False
    region = _region(ball, fine)
    assert region.within(fine.volume, fine.identity).anatomy.mask.any()
    assert region.within(heads[1].volume, heads[1].identity).anatomy.mask.any()
