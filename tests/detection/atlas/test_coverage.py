"""Scans that show other parts of a head than the references do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.detection.atlas.coverage import among_each_other, covered
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.errors import Code, PairingError
from tests.anatomy.heads import Clot, Head, draw

UPPER = Head(spacing=(5.0, 2.5, 2.5), low=10)
SHOWN, BELOW = Clot((35, 20, 25), 9), Clot((35, 20, -30), 9)


@pytest.fixture(scope="module")
def references() -> AtlasReferences:
    return AtlasReferences.measure([draw(replace(UPPER, seed=seed))[0] for seed in range(3)], head_ct_plan())


def test_what_references_do_not_show_is_not_examined(references: AtlasReferences) -> None:
    scan, inside, lesion = draw(replace(UPPER, seed=10, low=-75, high=40, clots=[SHOWN, BELOW]))
    found = references.examine(scan)
    assert Code.NOT_COVERED in [problem.code for problem in found.problems]
    heights = -75 + 5 * np.arange(scan.n_slices)
    below, shown = heights < -15, (heights >= 15) & (heights <= 35)
    assert lesion[below].any()
    assert np.isnan(found.map()[below]).all()
    assert np.isfinite(found.map()[shown][inside[shown]]).mean() > 0.8
    assert lesion[found.regions[0].peak_index]


def test_what_they_show_is_examined_whole(references: AtlasReferences) -> None:
    volumes = [scan.volume for scan in references.scans]
    assert covered(volumes[0], volumes[1:]) is volumes[0]
    assert references.problems == ()


def test_what_one_reference_shows_alone_is_not_held_against_the_others() -> None:
    plan = head_ct_plan()
    whole = draw(replace(UPPER, low=-75))[0]
    uppers = [draw(replace(UPPER, seed=seed))[0] for seed in (1, 2)]
    measured = AtlasReferences.measure([whole, *uppers], plan)
    volumes = [scan.volume for scan in measured.scans]
    first, *others = among_each_other(volumes, volumes)
    assert first.anatomy.mask.sum() < 0.7 * volumes[0].anatomy.mask.sum()
    assert not (first.counted & ~first.anatomy.mask).any()
    for one, volume in zip(others, volumes[1:], strict=True):
        assert one.anatomy.mask.sum() > 0.9 * volume.anatomy.mask.sum()
    # Else the whole head would score by what no other shows, and so set the level for all.
    assert measured.normal_scores[0] < 2 * max(measured.normal_scores[1:])


def test_a_scan_of_another_part_is_refused(references: AtlasReferences) -> None:
    volume = references.scans[0].volume
    place = replace(volume.place, coordinates=volume.place.coordinates - 200)
    with pytest.raises(PairingError) as refused:
        covered(replace(volume, place=place), [scan.volume for scan in references.scans])
    assert refused.value.code is Code.NOT_COVERED
