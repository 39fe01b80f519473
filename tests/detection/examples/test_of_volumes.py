"""Abnormal heads beside normal ones, held against each other place by place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.detection.atlas.anomaly import as_anomaly
from napari_d24fad.detection.atlas.left_out import left_out
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.detection.examples.lesions import drawn_lesion, most_unusual
from napari_d24fad.detection.examples.of_volumes import NormalVolumes, VolumeExample, VolumeExamples
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken
from tests.anatomy.heads import Clot, Head, draw

COARSE = Head(spacing=(6.0, 3.0, 3.0), low=-30, high=60)
BLOOD, HOLE = Clot((35, 20, 25), 12), Clot((-25, -30, 20), 12, hu=8)


@pytest.fixture(scope="module")
def references() -> AtlasReferences:
    scans = [draw(replace(COARSE, seed=seed, turn=3 * seed - 6))[0] for seed in range(4)]
    return AtlasReferences.measure(scans, head_ct_plan(), Direction.BOTH)


@pytest.fixture(scope="module")
def blood(references: AtlasReferences) -> list[VolumeExample]:
    return [_example(references, seed, BLOOD) for seed in (20, 21)]


def _example(references: AtlasReferences, seed: int, clot: Clot) -> VolumeExample:
    scan, _, lesion = draw(replace(COARSE, seed=seed, clots=[clot]))
    found = references.examine(scan)
    return VolumeExample(found, drawn_lesion(lesion, found))


@pytest.fixture(scope="module")
def normal(references: AtlasReferences):
    return NormalVolumes(references, left_out(references, None, CancelToken()))


def test_references_held_against_the_others_again_show_what_they_showed(
    references: AtlasReferences, normal
) -> None:
    for one, score in zip(normal.left_out, references.normal_scores, strict=True):
        assert references.plan.score(one.fused, one.volume.anatomy.grid) == pytest.approx(score, rel=1e-6)


def test_lesions_teach_what_counts_and_nothing_is_hidden(
    references: AtlasReferences, normal, blood: list[VolumeExample]
) -> None:
    learned = VolumeExamples(normal, blood)
    assert learned.found == (True, True)
    assert not learned.warnings
    gains = {}
    for name, clot in (("blood", replace(BLOOD, at=(-30, 25, 30))), ("hole", HOLE)):
        scan, _, lesion = draw(replace(COARSE, seed=30, clots=[clot]))
        plain = references.examine(scan)
        found, evidence = learned.examine(plain)
        assert (found.fused[np.isfinite(plain.fused)] >= plain.fused[np.isfinite(plain.fused)]).all()
        assert found.score >= plain.score == evidence.plain_score
        inside = drawn_lesion(lesion, plain)
        gains[name] = float(np.nanmean((found.fused - plain.fused)[inside]))
        assert lesion[found.regions[0].peak_index]
        anomaly = as_anomaly(found, learned.references, _outline(found))
        assert anomaly.p_value == pytest.approx(1 / 5)
        if name == "blood":
            assert evidence.alike
            assert lesion[evidence.place.centre]
            _, _, theirs = draw(replace(COARSE, seed=20 + evidence.nearest, clots=[BLOOD]))
            assert theirs[evidence.example_place.centre]
    assert gains["blood"] > 2 * gains["hole"]
    assert all(
        more >= less
        for more, less in zip(learned.references.normal_scores, references.normal_scores, strict=True)
    )


def _outline(found):
    from tests.export.maps import make_map

    return make_map(np.zeros(found.volume.anatomy.grid.scan_grid))


def test_kinds_are_looked_for_apart_and_a_normal_example_is_not_found(
    references: AtlasReferences, normal, blood: list[VolumeExample]
) -> None:
    holes = [_example(references, seed, HOLE) for seed in (22, 23)]
    marked = [
        replace(each, kind=kind) for kind, group in (("blood", blood), ("hole", holes)) for each in group
    ]
    apart = VolumeExamples(normal, marked)
    assert apart.found == (True,) * 4
    for clot, kind in ((BLOOD, "blood"), (HOLE, "hole")):
        plain = references.examine(draw(replace(COARSE, seed=31, clots=[clot]))[0])
        assert apart.examine(plain)[1].kind == kind
    quiet = references.examine(draw(replace(COARSE, seed=40))[0])
    nothing = VolumeExample(quiet, most_unusual(quiet, None, 500.0))
    assert VolumeExamples(normal, [*blood, nothing]).found == (True, True, False)


def test_without_a_drawing_the_lesion_is_what_stands_out_most(references: AtlasReferences) -> None:
    scan, _, lesion = draw(replace(COARSE, seed=20, clots=[BLOOD, HOLE]))
    found = references.examine(scan)
    where = most_unusual(found, None, 500.0)
    assert found.volume.anatomy.grid.expand(where)[lesion].any()
    first, last = (int(each) for each in np.flatnonzero(lesion.any(axis=(1, 2)))[[0, -1]])
    elsewhere = np.zeros(scan.grid, bool)
    elsewhere[: max(1, first - 1)] = True
    assert not found.volume.anatomy.grid.expand(most_unusual(found, elsewhere, 500.0))[first : last + 1].any()
    beside = np.zeros(scan.grid, bool)
    beside[:, :2, :2] = True
    for fails in (lambda: drawn_lesion(beside, found), lambda: most_unusual(found, beside & False, 500.0)):
        with pytest.raises(PairingError) as caught:
            fails()
        assert caught.value.code is Code.LESION_OUTSIDE
