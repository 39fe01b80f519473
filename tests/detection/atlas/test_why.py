"""Why a place is coloured: references read in the geometry of the scan, and the value there among theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.atlas.why import (
    agreement,
    aligned_slice,
    most_alike,
    value_at,
    working_index,
)
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from tests.anatomy.heads import Clot, Head, draw

COARSE = Head(spacing=(5.0, 2.5, 2.5), low=-75, high=85)
CLOT = Clot((35, 20, 25), 9)


@pytest.fixture(scope="module")
def references() -> AtlasReferences:
    scans = [draw(replace(COARSE, seed=seed))[0] for seed in range(3)]
    return AtlasReferences.measure(scans, head_ct_plan())


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(np.clip(a[known], -50, 150), np.clip(b[known], -50, 150))[0, 1])


@pytest.mark.parametrize("spacing", [(5.0, 2.5, 2.5), (5.0, 1.25, 1.25)])
def test_a_reference_is_read_where_the_scan_has_the_same_anatomy(
    references: AtlasReferences, spacing: tuple[float, float, float]
) -> None:
    # The head of reference 2, turned and tilted, on another grid and stored in another axis order.
    turned = draw(replace(COARSE, seed=1, turn=20, tilt=8, spacing=spacing))[0]
    affine = turned.affine[:, [0, 2, 1, 3]].copy()
    scan = replace(turned, voxels=np.ascontiguousarray(turned.voxels.transpose(0, 2, 1)), affine=affine)
    straight = draw(replace(COARSE, seed=1))[0]
    found = references.examine(scan)
    same = references.scans[1].volume
    at = scan.n_slices // 2
    read = aligned_slice(found.volume, same, scan, straight, at)
    own = np.take(scan.voxels, [at], axis=scan.slice_axis)
    assert read.shape == own.shape
    assert _correlation(read, own) > 0.9
    other = draw(replace(COARSE, seed=1, spacing=spacing))[0].voxels.transpose(0, 2, 1)[[at]]
    assert _correlation(other, own) < _correlation(read, own) - 0.1
    told = [agreement(found.volume, each.volume) for each in references.scans]
    assert min(each.shared for each in told) > 0.9
    assert most_alike(found.volume, references.scans) == int(np.argmax([one.correlation for one in told]))


def test_grey_levels_are_brought_to_those_of_the_scan(references: AtlasReferences) -> None:
    scan = draw(replace(COARSE, seed=1, windowed=True))[0]
    found = references.examine(scan)
    at = scan.n_slices // 2
    read = aligned_slice(found.volume, references.scans[1].volume, scan, draw(replace(COARSE, seed=1))[0], at)
    inside = found.anatomy_mask()[at]
    assert np.nanmedian(read[0][inside]) == pytest.approx(float(np.median(scan.voxels[at][inside])), abs=6)


def test_a_value_is_told_among_those_of_the_references(references: AtlasReferences) -> None:
    scan, _, clot = draw(replace(COARSE, seed=10, turn=12, clots=[CLOT]))
    found = references.examine(scan)
    place = found.regions[0].peak_index
    assert clot[place]
    told = value_at(found, references, place)
    assert told.unit == "HU"
    assert 15 < told.query < 45
    assert len(told.references) == 3
    assert max(np.abs(told.references)) < told.query / 2
    assert abs(np.mean(told.references)) < 3 * told.spread < told.query
    at = np.rint(working_index(found.volume.anatomy.grid, place)).astype(int)
    excess = float(found.excess[tuple(at)]) * found.volume.unit_per_value
    assert told.query == pytest.approx(excess, rel=1e-3)
    corner = value_at(found, references, (0, 0, 0))
    assert np.isnan([corner.query, corner.spread, *corner.references]).all()


def test_darker_is_below_the_references() -> None:
    scans = [draw(replace(COARSE, seed=seed))[0] for seed in range(2)]
    references = AtlasReferences.measure(scans, head_ct_plan(), Direction.DARKER)
    scan, _, hole = draw(replace(COARSE, seed=10, clots=[replace(CLOT, hu=5)]))
    found = references.examine(scan)
    place = found.regions[0].peak_index
    assert hole[place]
    told = value_at(found, references, place)
    assert told.query < -10
    assert min(told.references) > told.query
