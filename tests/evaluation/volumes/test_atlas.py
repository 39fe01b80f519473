"""The scoring per place as a method gives what it tells of a scan; the inside of the skull is what counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.anatomy.find import drawn_region, find_anatomy
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.evaluation.volumes.anatomy import kept, scan_mask
from napari_d24fad.evaluation.volumes.atlas import AtlasMethod, methods_of
from napari_d24fad.evaluation.volumes.baselines import Extreme
from napari_d24fad.metrics.volumes import measure_volume
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan
from tests.anatomy.heads import Clot, Head, draw

COARSE = Head(spacing=(5.0, 2.5, 2.5), low=-45, high=70)


@pytest.fixture(scope="module")
def references() -> list[Scan]:
    return [draw(replace(COARSE, seed=seed))[0] for seed in range(3)]


def test_the_method_says_what_the_atlas_says(references: list[Scan]) -> None:
    query, _, clot = draw(replace(COARSE, seed=10, clots=[Clot((35, 20, 25), 9)]))
    method = AtlasMethod(head_ct_plan())
    assert method.name == "atlas (head CT)"
    found = method.prepare(references).examine(query)
    expected = AtlasReferences.measure(references, head_ct_plan()).examine(query)
    np.testing.assert_array_equal(found.values, expected.map())
    np.testing.assert_array_equal(found.coloured, expected.coloured(1.0))
    assert found.masses == tuple(region.mass for region in expected.regions)
    assert found.n_told == len(expected.told(1.0))
    assert found.labels[expected.regions[0].peak_index] == 1
    assert found.p_value == 1 / 4
    measured = measure_volume(found, query.spacing, query.slice_axis, clot, scan_mask(find_anatomy(query)))
    assert measured.lesion is not None
    assert measured.lesion.first_region
    assert measured.coloured_outside == 0


def test_bright_bone_is_no_bright_place_of_the_anatomy(references: list[Scan]) -> None:
    query, _, clot = draw(replace(COARSE, seed=10, clots=[Clot((35, 20, 25), 9)]))
    found = Extreme(1).prepare(references).examine(query)
    assert clot[np.unravel_index(np.nanargmax(found.values), query.grid)]


def test_anatomy_is_found_once_for_each_scan_and_the_oldest_is_forgotten() -> None:
    asked: list[Scan] = []

    def find(scan: Scan) -> Anatomy:
        asked.append(scan)
        return drawn_region(scan, np.ones(scan.grid, bool))

    scans = [Scan(np.full((2, 3, 3), number, np.float32), np.eye(4)) for number in range(3)]
    once = kept(find, 2)
    for number in (0, 1, 0, 2, 0, 1):
        assert once(scans[number]).mask.all()
    assert [int(scan.voxels[0, 0, 0]) for scan in asked] == [0, 1, 2, 1]


def test_maps_beside_are_measured_apart_and_the_anatomy_is_found_once(references: list[Scan]) -> None:
    asked: list[Scan] = []

    def find(scan: Scan, cancel: CancelToken) -> Anatomy:
        asked.append(scan)
        return drawn_region(scan, np.ones(scan.grid, bool))

    plan = replace(head_ct_plan(), find=find)
    methods = methods_of(replace(plan, beside=(replace(plan, name="beside"),)))
    assert [method.name for method in methods] == ["atlas (head CT)", "atlas (beside)"]
    assert not any(method.plan.beside for method in methods)
    for method in methods:
        method.plan.find(references[0], CancelToken())
    assert len(asked) == 1
