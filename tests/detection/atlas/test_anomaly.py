"""The result of a volume in the form of every other: what is coloured is what is told of."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_d24fad.detection.atlas.anomaly import as_anomaly, regions_at
from napari_d24fad.detection.atlas.normal import slice_places
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.detection.plans.choice import plan_for
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from tests.anatomy.heads import Clot, draw
from tests.detection.atlas.conftest import COARSE
from tests.detection.atlas.features import features_of

K = 4


def test_colours_are_the_regions_told_of(references: AtlasReferences) -> None:
    scan, _, clot = draw(replace(COARSE, seed=10, turn=12, clots=[Clot((35, 20, 25), 9)]))
    found = references.examine(scan)
    anomaly = as_anomaly(found, references, features_of(scan.grid, K))
    assert anomaly.scoring == "atlas"
    assert (anomaly.direction, anomaly.anatomy) == ("brighter", "inside of the skull")
    coloured = anomaly.values >= anomaly.level_one_region
    np.testing.assert_array_equal(coloured, found.coloured(1.0))
    np.testing.assert_array_equal(np.isfinite(anomaly.values), found.anatomy_mask())
    first = anomaly.regions[0]
    assert clot[first.peak_index]
    assert re.match(
        r"brighter than the references by [12]\d HU \(\d+\.\d times their spread\)", first.meaning
    )
    assert (first.direction, first.unit) == ("brighter", "HU")
    assert 10 < first.amount < 30
    excess = found.excess[found.labels == 1]
    assert np.nanmin(excess) < first.amount / found.volume.unit_per_value < np.nanmax(excess)
    assert first.n_voxels == int((found.labels == 1).sum()) * int(np.prod(found.volume.anatomy.grid.blocks))
    assert anomaly.p_value == anomaly.p_floor
    assert anomaly.slice_p_values[anomaly.most_suspicious(1)[0]] == pytest.approx(1 / (K + 1))
    assert np.nanmin(anomaly.p_map()) < 0.01
    assert regions_at(found, references, anomaly.level_one_region) == anomaly.regions


def test_regions_at_another_level_say_what_they_are_as_well(references: AtlasReferences) -> None:
    scan, _, clot = draw(replace(COARSE, seed=10, turn=12, clots=[Clot((35, 20, 25), 9)]))
    found = references.examine(scan)
    anomaly = as_anomaly(found, references, features_of(scan.grid, K))
    first = anomaly.regions[0]
    for level, compared in ((0.9 * first.peak, np.less), (0.7 * anomaly.level_one_region, np.greater)):
        told = regions_at(found, references, level)
        again = told[0]
        assert clot[again.peak_index]
        assert compared(again.n_voxels, first.n_voxels)
        assert again.peak == first.peak
        drawn, _ = ndimage.label(anomaly.values >= level)
        assert again.n_voxels == int((drawn == drawn[again.peak_index]).sum())
        for region in told:
            assert re.match(r"(brighter|darker) than the references by", region.meaning)
            assert region.direction == "brighter"
            assert region.unit == "HU"
    assert regions_at(found, references, 2 * first.peak) == ()


def test_what_a_map_is_joined_from_is_told_in_words(references: AtlasReferences) -> None:
    scan, _, clot = draw(replace(COARSE, seed=10, turn=12, clots=[Clot((35, 20, 25), 9)]))
    found = references.examine(scan)
    anomaly = as_anomaly(found, references, features_of(scan.grid, K))
    assert anomaly.plan == "head CT"
    assert [(each.name, each.title) for each in anomaly.channels] == [
        ("value", "brighter than the references"),
        ("asymmetry", "brighter than the other side"),
        ("excess", "brighter than all references near the place"),
        ("patches", "unlike the references in texture"),
        ("features", "unlike the references in pattern"),
    ]
    for channel in anomaly.channels:
        values = found.channel_map(channel.name, channel.sign)
        assert np.nanmax(values[clot]) > channel.level
        # One voxel in a thousand of a normal scan; other places of this one are normal.
        away = np.isfinite(values) & ~ndimage.binary_dilation(clot, iterations=8)
        assert (values[away] > channel.level).mean() < 0.02


def test_both_directions_have_channels_of_their_own() -> None:
    scans = [draw(replace(COARSE, seed=seed))[0] for seed in range(3)]
    references = AtlasReferences.measure(scans, head_ct_plan(), Direction.BOTH)
    scan, _, hole = draw(replace(COARSE, seed=10, clots=[Clot((35, 20, 25), 9, hu=5)]))
    found = references.examine(scan)
    anomaly = as_anomaly(found, references, features_of(scan.grid, K))
    titles = [each.title for each in anomaly.channels]
    assert titles.index("darker than the references") >= 4
    darker = next(each for each in anomaly.channels if (each.name, each.sign) == ("value", -1))
    assert np.nanmean(found.channel_map("value", -1)[hole]) > darker.level
    assert np.nanmean(found.channel_map("value", 1)[hole]) < 0
    first = anomaly.regions[0]
    assert (first.direction, first.meaning[:6]) == ("darker", "darker")
    assert first.spreads < 0 > first.amount


def test_slices_are_ranked_by_their_place_and_not_their_number(references: AtlasReferences) -> None:
    scan, _, _ = draw(replace(COARSE, seed=11, low=-20, high=70))  # begins 25 mm higher
    volume = references.examine(scan).volume
    whole = references.scans[0].volume
    own, others = slice_places(volume), slice_places(whole)
    known = np.flatnonzero(np.isfinite(own))
    steps = np.diff(own[known])
    assert (steps > 0).all()
    assert np.nanmax(own) == pytest.approx(np.nanmax(others), abs=15)


def test_a_reference_that_counts_less_moves_what_is_usual_towards_the_others() -> None:
    scans = [draw(replace(COARSE, seed=seed))[0] for seed in range(3)]
    odd = replace(COARSE, seed=9, clots=[Clot((35, 20, 25), 9)])
    whole = AtlasReferences.measure([*scans, draw(odd)[0]], head_ct_plan())
    query, _, clot = draw(replace(odd, seed=12))
    mask = clot & np.isfinite(whole.examine(query).map())
    less = AtlasReferences.of(whole.scans, whole.plan, whole.direction, shares=(1, 1, 1, 0.05))
    more, fewer = whole.examine(query).channel_map("value"), less.examine(query).channel_map("value")
    assert np.nanmean(fewer[mask]) > 1.2 * np.nanmean(more[mask])


def test_heads_by_ct_have_a_plan_and_others_none() -> None:
    scan, _, _ = draw(COARSE)
    plan = plan_for(scan)
    assert plan is not None
    assert plan.name == "head CT"
    assert plan_for(replace(scan, modality="MR")) is None
    assert plan_for(replace(scan, has_geometry=False)) is None
    assert plan_for(replace(scan, voxels=np.full(scan.grid, 40, np.float32))) is None
