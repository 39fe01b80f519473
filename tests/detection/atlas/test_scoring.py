"""References and queries of made-up heads: what is found, what is computed again, what is not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.place import Place
from napari_d24fad.detection.atlas.measured import measure_scan
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.atlas.standard import fused
from napari_d24fad.detection.channels.patches import Patches
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.detection.plans import head_ct as head_ct_module
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.errors import Cancelled, Code, PairingError
from napari_d24fad.progress import CancelToken
from tests.anatomy.heads import Clot, draw
from tests.detection.atlas.conftest import COARSE

CLOT = Clot((35, 20, 25), 9)


def test_blood_is_found_inside_the_head_only(references: AtlasReferences) -> None:
    scan, _, clot = draw(replace(COARSE, seed=10, turn=12, clots=[CLOT]))
    found = references.examine(scan)
    mask, values = found.anatomy_mask(), found.map()
    assert values.shape == scan.grid
    np.testing.assert_array_equal(np.isfinite(values), mask)
    region = found.regions[0]
    assert (found.coloured(1.0) & clot).sum() > 0.5 * clot.sum()
    assert not (found.coloured(4.0) & ~mask).any()
    assert clot[region.peak_index]
    assert region.side == "brighter"
    assert region.unit == "HU"
    assert 15 < region.amount < 40  # 68 HU in brain of 34, smoothed
    assert found.score > max(references.normal_scores)
    best = int(np.nanargmax(found.slice_scores))
    assert clot[best].any()
    assert region.slices[0] <= best <= region.slices[1]
    np.testing.assert_allclose(region.centroid_mm, _middle(clot, scan.affine), atol=6)


def _middle(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return np.asarray((affine @ [*np.argwhere(mask).mean(axis=0), 1])[:3])


def test_normal_heads_show_about_what_references_show(references: AtlasReferences) -> None:
    found = [references.examine(draw(replace(COARSE, seed=seed))[0]) for seed in (11, 12, 13, 14)]
    usual = np.mean(references.normal_scores)
    assert max(each.score for each in found) < 1.3 * max(references.normal_scores)
    # Held against all four references and not as if one were left out, they would lie .14 below.
    assert np.mean([each.score for each in found]) == pytest.approx(usual, rel=0.1)
    assert np.mean([len(each.told(1.0)) for each in found]) <= 1.5


def test_darker_lesion_needs_its_direction() -> None:
    scans = [draw(replace(COARSE, seed=seed))[0] for seed in range(3)]
    scan, _, hole = draw(replace(COARSE, seed=10, clots=[replace(CLOT, hu=5)]))
    both = AtlasReferences.measure(scans, head_ct_plan(), Direction.BOTH).examine(scan)
    assert hole[both.regions[0].peak_index]
    assert both.regions[0].side == "darker"
    assert both.regions[0].amount < -10
    brighter = AtlasReferences.measure(scans, head_ct_plan(), Direction.BRIGHTER).examine(scan)
    values = brighter.map()
    assert np.nanmean(values[hole]) < brighter.levels.value


def test_subset_and_extension_equal_a_fresh_set_and_compare_no_pair_again(
    references: AtlasReferences, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    original = Patches.distance

    def counted(self: Patches, *pair: Any) -> Any:
        compared.append(1)
        return original(self, *pair)

    monkeypatch.setattr(Patches, "distance", counted)
    query = draw(replace(COARSE, seed=10, clots=[CLOT]))[0]
    smaller = AtlasReferences.of(
        [references.scans[index] for index in (0, 1, 3)], references.plan, references.direction
    )
    assert compared == []
    fresh = AtlasReferences.measure(
        [draw(replace(COARSE, seed=seed, turn=3 * seed - 6))[0] for seed in (0, 1, 3)], references.plan
    )
    assert len(compared) == 6
    np.testing.assert_array_equal(smaller.examine(query).fused, fresh.examine(query).fused)
    assert smaller.levels == fresh.levels
    del compared[:]
    new = measure_scan(
        draw(replace(COARSE, seed=2, turn=0))[0], references.plan, references.direction, CancelToken()
    )
    larger = AtlasReferences.of([*smaller.scans, new], references.plan, references.direction)
    assert len(compared) == 3  # the new one with each; they know it from the first set
    np.testing.assert_allclose(sorted(larger.normal_scores), sorted(references.normal_scores), rtol=1e-4)


def test_thick_slices_thin_slices_and_another_plane_find_the_same(references: AtlasReferences) -> None:
    for spacing in ((10.0, 2.5, 2.5), (2.5, 2.5, 2.5)):
        scan, _, clot = draw(replace(COARSE, spacing=spacing, seed=10, clots=[CLOT]))
        assert clot[references.examine(scan).regions[0].peak_index]
    scan, _, clot = draw(replace(COARSE, spacing=(2.5, 2.5, 2.5), seed=10, clots=[CLOT]))
    coronal = replace(
        scan, voxels=scan.voxels.transpose(1, 0, 2)[:, ::-1], affine=_coronal(scan.affine, scan.grid[0])
    )
    found = references.examine(coronal)
    assert clot.transpose(1, 0, 2)[:, ::-1][found.regions[0].peak_index]
    assert len(found.slice_scores) == coronal.n_slices
    assert clot[:, int(np.nanargmax(found.slice_scores))].any()


def _coronal(affine: np.ndarray, slices: int) -> np.ndarray:
    turned = affine[:, [1, 0, 2, 3]].copy()
    turned[:3, 3] += turned[:3, 1] * (slices - 1)
    turned[:3, 1] *= -1
    return turned


def test_one_reference_is_too_few_and_work_can_be_stopped() -> None:
    scan = draw(COARSE)[0]
    with pytest.raises(PairingError) as refusal:
        AtlasReferences.measure([scan], head_ct_plan())
    assert refusal.value.code is Code.TOO_FEW_REFERENCES
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        AtlasReferences.measure([scan, scan], head_ct_plan(), cancel=cancel)


def test_small_calcification_is_not_told_of_and_a_clot_as_dense_is(
    references: AtlasReferences, monkeypatch: pytest.MonkeyPatch
) -> None:
    spot, _, calcified = draw(replace(COARSE, seed=10, clots=[replace(CLOT, radius=5.0, hu=300)]))
    around = ndimage.binary_dilation(calcified, iterations=2)
    quiet = (references.examine(spot).labels[around] > 0).sum()
    dense, _, clot = draw(replace(COARSE, seed=10, clots=[replace(CLOT, radius=14.0, hu=92)]))
    assert (references.examine(dense).coloured(1.0) & clot).any()
    monkeypatch.setattr(head_ct_module, "_SMALL_MM3", 0.0)
    assert quiet < 0.3 * (references.examine(spot).labels[around] > 0).sum()


def test_fused_is_the_weighted_mean_of_capped_channels() -> None:
    scan = draw(COARSE)[0]
    plan = replace(head_ct_plan(), weights={"a": 0.5}, caps={"b": 2.0})
    anatomy = plan.find(scan, CancelToken())
    volume = plan.prepare(anatomy, plan.placer.place(anatomy))
    silent = np.full(anatomy.mask.shape, np.nan, np.float32)
    found = fused({"a": np.full_like(silent, 8), "b": np.full_like(silent, 5), "c": silent}, volume, plan)
    np.testing.assert_allclose(found[anatomy.mask], (0.5 * 8 + 2) / 1.5, rtol=1e-6)
    assert np.isnan(found[~anatomy.mask]).all()
    assert (fused({"c": silent}, volume, plan)[anatomy.mask] == 0).all()


def test_a_reference_that_shows_a_part_is_placed_once_not_for_each_query() -> None:
    placed = []
    plan = head_ct_plan()
    whole_plan = plan.alternatives
    assert whole_plan is not None

    def alternatives(anatomy: Anatomy) -> Iterator[Place]:
        placed.append(1)
        return itertools.islice(whole_plan(anatomy), 2)

    plan = replace(plan, channels=plan.channels[:1], weights={}, alternatives=alternatives)
    part = replace(COARSE, low=6, high=42)
    scans = [
        draw(replace(COARSE, seed=1))[0],
        draw(replace(COARSE, seed=2))[0],
        draw(replace(part, seed=3))[0],
    ]
    found = AtlasReferences.measure(scans, plan)
    assert len(placed) == 1
    for seed in (8, 9):
        found.examine(draw(replace(part, seed=seed))[0])
    assert len(placed) == 3
