from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
import pytest

from napari_d24fad.anatomy import aligned
from napari_d24fad.anatomy.aligned import TemplatePlacer, box_of, find_aligned
from napari_d24fad.anatomy.common_grid import CommonGrid
from napari_d24fad.anatomy.registration import align
from napari_d24fad.detection.atlas.anomaly import as_anomaly
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.atlas.why import agreement, aligned_slice, value_at, working_index
from napari_d24fad.detection.channels.table import Cells
from napari_d24fad.detection.channels.tolerance import Tolerance
from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.detection.plans.choice import plan_for
from napari_d24fad.detection.plans.head_mr import (
    head_mr_plan,
    head_t1_plan,
    prepare_head_mr,
    prepare_volume_change,
)
from napari_d24fad.errors import Cancelled
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan
from tests.anatomy import known_head as heads
from tests.detection.atlas.features import features_of

HEAD = heads.template()
BOX = box_of(HEAD)
MASS = np.array([30.0, 20.0, 20.0])


def on_phantom(plan: Plan) -> Plan:
    """The plan with a head of the tests for MNI152, which is coarser and so faster."""
    return dataclasses.replace(
        plan,
        find=lambda scan, _: find_aligned(scan, HEAD),
        placer=TemplatePlacer(BOX),
        cells=Cells(BOX, 4.0, 0.0, spread_mm=4.0),
        beside=tuple(on_phantom(each) for each in plan.beside),
    )


PLAN = on_phantom(head_t1_plan())


def head(seed: int, wider: float = 1.0, mass: float = 0.0) -> Scan:
    rng = np.random.default_rng(seed)
    move = heads.turned("x", rng.uniform(-8, 8), tuple(rng.uniform(-6, 6, 3)))
    scan = heads.drawn(move, wider=wider * rng.uniform(0.95, 1.05), seed=seed)
    points = heads.places(scan.values.shape, scan.affine)
    back = np.linalg.inv(move)
    near = np.linalg.norm(points @ back[:3, :3].T + back[:3, 3] - MASS, axis=-1)
    values = scan.values + np.float32(mass) * (near < 10)
    return Scan((values * rng.uniform(200, 900)).astype(np.float32), scan.affine, modality="MR")


@lru_cache(maxsize=1)
def references() -> AtlasReferences:
    return AtlasReferences.measure([head(seed) for seed in range(4)], PLAN)


def test_a_mass_is_the_first_region_and_moves_the_score() -> None:
    healthy, ill = (references().examine(head(9, mass=mass)) for mass in (0.0, -0.5))
    assert ill.score > healthy.score + 1
    region = ill.regions[0]
    assert region.side == "darker"
    grid = ill.volume.anatomy.grid
    index = np.linalg.inv(HEAD.volume.affine) @ [*MASS, 1.0]
    place = np.rint(index[:3]).astype(int)
    assert ill.labels[tuple(place)] == 1
    assert not (ill.coloured(1.0) & ~grid.expand(ill.volume.anatomy.mask)).any()


def test_wide_ventricles_stand_out_on_the_map_of_volume() -> None:
    both = [references().examine(head(9, wider=wider)) for wider in (1.0, 1.5)]
    healthy, wide = (found.beside[0] for found in both)
    assert both[1].volume.anatomy is wide.volume.anatomy  # found and placed once
    assert wide.score > max(healthy.score, *wide.normal_scores)
    places = heads.places(HEAD.anatomy.shape, HEAD.volume.affine)
    inside = np.linalg.norm((np.abs(places) - [12.0, 0.0, 0.0]) / [9.0, 24.0, 18.0], axis=-1) < 1
    assert np.nanmean(wide.fused[inside]) > np.nanmean(healthy.fused[inside]) + 0.5
    assert (wide.sides[inside] > 0).mean() > 0.5
    assert {region.side for region in wide.regions} <= {"larger", "smaller"}


def test_what_stands_beside_is_measured_once_whatever_the_set() -> None:
    known = references()
    before = [scan.besides["volume"] for scan in known.scans[:3]]
    fewer = AtlasReferences.of(known.scans[:3], PLAN, known.direction)
    assert len(fewer.beside[0].normal_scores) == 3
    assert all(scan.besides["volume"] is one for scan, one in zip(fewer.scans, before, strict=True))


def test_the_map_of_volume_stands_beside_and_not_in_the_first() -> None:
    found = references().examine(head(9, wider=1.5))
    anomaly = as_anomaly(found, references(), features_of(found.map().shape, 4))
    (volume,) = anomaly.beside
    assert (anomaly.plan, volume.plan) == ("head T1", "volume")
    assert volume.p_value == anomaly.p_floor
    shown = [(channel.title, channel.sign) for channel in anomaly.channels if channel.beside == "volume"]
    assert shown == [
        ("larger or smaller than the references", 0),
        ("larger than the references", 1),
        ("smaller than the references", -1),
    ]
    assert volume.regions[0].meaning.startswith("larger than the references by")
    assert "% of its volume" in volume.regions[0].meaning


def volume_of(values: np.ndarray) -> WorkingVolume:
    found = PLAN.find(head(0), CancelToken())
    volume = prepare_head_mr(found, PLAN.placer.place(found))
    return dataclasses.replace(volume, values=values.astype(np.float32))


def test_tolerance_is_the_excess_over_the_highest_neighbour() -> None:
    channel = Tolerance(most=10.0)
    base = volume_of(np.zeros(HEAD.anatomy.shape))
    middle = tuple(int(n) // 2 for n in HEAD.anatomy.shape)
    assert base.counted[middle]
    reference = np.zeros(HEAD.anatomy.shape)
    reference[middle[0] + 1, middle[1], middle[2]] = 0.6
    query = np.zeros(HEAD.anatomy.shape)
    query[middle] = 1.0
    query[middle[0] - 1, middle[1], middle[2]] = 1.0
    described = [
        channel.describe(dataclasses.replace(base, values=v.astype(np.float32))) for v in (query, reference)
    ]
    away = np.zeros(HEAD.anatomy.shape)
    away[tuple(described[0]["index"].astype(int))] = channel.distance(*described)
    assert np.isclose(away[middle], 0.4)
    assert np.isclose(away[middle[0] - 1, middle[1], middle[2]], 1.0)
    assert np.count_nonzero(away) == 2


def test_no_change_of_volume_is_claimed_without_deformation() -> None:
    found = PLAN.find(head(0), CancelToken())
    grid = dataclasses.replace(found.grid, deformation=None)
    anatomy = dataclasses.replace(found, grid=grid)
    volume = prepare_volume_change(anatomy, PLAN.placer.place(anatomy))
    assert not volume.counted.any()


def test_a_reference_is_read_in_a_registered_scan_and_shows_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scan = head(9, mass=-0.5)
    ill = references().examine(scan)
    place = ill.regions[0].peak_index
    grid = ill.volume.anatomy.grid
    np.testing.assert_allclose(grid.scan_index(working_index(grid, place)), place, atol=0.2)
    told = value_at(ill, references(), place)
    assert max(np.abs(told.references)) < 0.1 * abs(told.query)
    assert told.query < -3 * told.spread
    reference = references().scans[0].volume
    at = place[scan.slice_axis]
    whole = np.take(grid.expand(reference.anatomy.values), [at], axis=scan.slice_axis)
    first = np.where(np.arange(3) == scan.slice_axis, at, 0)
    np.testing.assert_array_equal(grid.read(reference.anatomy.values, first, whole.shape), whole)
    monkeypatch.setattr(CommonGrid, "expand", None)  # of one slice no more is read
    read = aligned_slice(ill.volume, reference, scan, head(0), at)
    monkeypatch.undo()
    own = np.take(scan.voxels, [at], axis=scan.slice_axis)
    inside = np.take(ill.anatomy_mask(), [at], axis=scan.slice_axis) & np.isfinite(read)
    assert np.corrcoef(read[inside], own[inside])[0, 1] > 0.6
    here = list(place)
    here[scan.slice_axis] = 0
    assert own[tuple(here)] < 0.8 * read[tuple(here)], "the reference has brain where the scan has a mass"
    assert agreement(ill.volume, reference).shared > 0.9


def test_a_scan_is_aligned_once_to_tell_its_kind_and_to_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    count = []

    def counting(*args):
        count.append(1)
        return align(*args)

    monkeypatch.setattr(aligned, "align", counting)
    scan = head(23)
    first, second = (find_aligned(scan, HEAD, like_template=False) for _ in range(2))
    assert len(count) == 1
    np.testing.assert_array_equal(first.values, second.values)
    shifted = scan.affine.copy()
    shifted[0, 3] += 5
    find_aligned(dataclasses.replace(scan, affine=shifted), HEAD, like_template=False)
    assert len(count) == 2  # where it lies counts


def test_finding_a_head_can_be_stopped() -> None:
    stopped = CancelToken()
    stopped.cancel()
    for plan in (head_t1_plan(), head_mr_plan()):
        with pytest.raises(Cancelled):
            plan.find(head(24), stopped)
    with pytest.raises(Cancelled):
        plan_for(head(24), stopped)
