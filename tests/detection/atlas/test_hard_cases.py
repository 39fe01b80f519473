"""Scans that are not as the references are: parts of heads, other slices, tilted, open, huge lesions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.detection.atlas.examination import AtlasExamination
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.errors import Code
from tests.anatomy.heads import Clot, Head, draw

COARSE = Head(spacing=(5.0, 2.5, 2.5))
CLOT = Clot((35, 20, 25), 9)


@pytest.fixture(scope="module")
def references() -> AtlasReferences:
    return AtlasReferences.measure([draw(replace(COARSE, seed=seed))[0] for seed in range(3)], head_ct_plan())


def examined(head: Head, references: AtlasReferences) -> tuple[AtlasExamination, np.ndarray]:
    scan, _, lesion = draw(head)
    found = references.examine(scan)
    assert not (found.coloured(4.0) & ~found.anatomy_mask()).any()
    assert np.isnan(found.map()[~found.anatomy_mask()]).all()
    return found, lesion


@pytest.mark.parametrize(
    "changed",
    [
        {"low": 16, "high": 34},  # four slices
        {"low": 16, "high": 28},  # three slices
        {"turn": 25.0},
        {"tilt": 25.0},
        {"low": -140},
        {"low": 10},  # the upper half
        {"high": 40, "low": -75},  # the lower half
        {"spacing": (10.0, 2.5, 2.5)},
        {"positioner": True, "windowed": True},
        {"flap": 60.0, "clots": [Clot((-35, 20, 25), 9)]},
        {"size": 0.72, "skull": (2.5, 350.0), "spacing": (2.5, 2.5, 2.5)},
        {"spacing": (0.8, 2.5, 2.5), "padded": True, "noise": 9.0},
        {"gantry": 20.0},
        {"low": -140, "metal": (25, -60, -105)},
        {"metal": (-30, -10, 0)},
    ],
    ids=[
        "4 slices",
        "3 slices",
        "turned",
        "tilted",
        "chin",
        "upper",
        "lower",
        "10 mm",
        "positioner",
        "open",
        "child",
        "0.8 mm, padded",
        "gantry",
        "fillings",
        "clip",
    ],
)
def test_blood_is_found(changed: dict[str, object], references: AtlasReferences) -> None:
    found, lesion = examined(
        replace(Head(spacing=(5.0, 2.5, 2.5), seed=10, clots=[CLOT]), **changed), references
    )  # type: ignore[arg-type]
    assert lesion[found.regions[0].peak_index]
    assert (found.coloured(1.0) & lesion).sum() > 0.4 * lesion.sum()


def test_part_of_a_head_is_placed_where_it_fits(references: AtlasReferences) -> None:
    whole, _ = examined(replace(COARSE, seed=10), references)
    part, _ = examined(replace(COARSE, seed=10, low=10, high=40), references)
    assert Code.PART_OF_ANATOMY in [problem.code for problem in part.problems]
    assert Code.PART_OF_ANATOMY not in [problem.code for problem in whole.problems]
    # The same slices of the same head: (10 + 75) / 5 slices lie below.
    same = whole.volume.place.coordinates[:, 17:24]
    off = (part.volume.place.coordinates - same)[:, part.volume.anatomy.mask]
    assert np.abs(np.median(off, axis=1)).max() < 12


def test_huge_lesion_does_not_disappear(references: AtlasReferences) -> None:
    found, lesion = examined(replace(COARSE, seed=10, clots=[Clot((22, -10, 18), 40, hu=52)]), references)
    assert (found.coloured(0.25) & lesion).sum() > 0.5 * lesion.sum()


def test_reference_that_is_half_a_scan_counts_where_it_has_slices() -> None:
    plan = head_ct_plan()
    scans = [draw(replace(COARSE, seed=seed))[0] for seed in range(2)]
    half = draw(replace(COARSE, seed=2, low=10))[0]
    found, lesion = examined(
        replace(COARSE, seed=10, clots=[CLOT]), AtlasReferences.measure([*scans, half], plan)
    )
    assert lesion[found.regions[0].peak_index]


def test_mirrored_reference_is_warned_of() -> None:
    # Something that all normal heads of this kind have on one side.
    side = [Clot((38, 0, 10), 16, hu=50)]
    heads = [draw(replace(COARSE, seed=seed, clots=side))[0] for seed in range(3)]
    mirrored = draw(replace(COARSE, seed=3, clots=side, mirrored=True))[0]
    plan = head_ct_plan()
    assert AtlasReferences.measure(heads, plan).problems == ()
    warned = AtlasReferences.measure([*heads, mirrored], plan).problems
    assert [(problem.code, problem.detail) for problem in warned] == [
        (Code.MIRRORED_REFERENCE, "It is reference 4.")
    ]


def test_a_slice_that_holds_a_part_of_bone_scores_less_than_blood_of_the_same_brightness(
    references: AtlasReferences,
) -> None:
    scan, inside, _ = draw(replace(COARSE, seed=10))
    bone = np.asarray(scan.voxels) > 300
    across = np.arange(scan.grid[2]) * scan.spacing[2] - 95
    # On one side of the vault, where the next slice up is bone; and the same two slices further down.
    part, blood = np.zeros_like(inside), np.zeros_like(inside)
    part[24:30] = inside[24:30] & bone[25:31] & (across > 10)
    blood[22:28] = part[24:30]
    scores = []
    for bright in (part, blood):
        found = references.examine(replace(scan, voxels=np.where(bright, scan.voxels + 25, scan.voxels)))
        scores.append(found.score)
    assert scores[0] < 0.8 * scores[1]
