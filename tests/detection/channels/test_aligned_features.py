"""How unlike what a network sees near by a place is: against a plain loop, and what it is there for."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from napari_d24fad.anatomy.common_grid import common_grid
from napari_d24fad.anatomy.place import BoxPlacer
from napari_d24fad.anatomy.volume import Volume
from napari_d24fad.detection.atlas.measured import MeasuredScan, beside
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.channels.aligned_features import AlignedFeatures
from napari_d24fad.detection.channels.channel import Described
from napari_d24fad.detection.channels.table import Cells
from napari_d24fad.detection.channels.value import Value
from napari_d24fad.detection.channels.volume import Direction, WorkingVolume
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan
from tests.detection.atlas.test_standard import volume

SHAPE = (6, 40, 36)
CHANNEL = AlignedFeatures()


def template() -> np.ndarray:
    """White, with grey folds along one side and a dark cavity; 0 beside it."""
    usual = np.zeros(SHAPE, np.float32)
    usual[:, 2:-2, 2:-2] = 1.0
    usual[:, 2:-2:4, 2:10] = 0.8
    usual[:, 16:22, 18:24] = 0.4
    return usual


USUAL = template()
BRAIN = USUAL > 0


def shown(values: np.ndarray, mask: np.ndarray = BRAIN) -> WorkingVolume:
    """A scan on the voxels of the template."""
    affine = np.diag([-2.0, -2.0, 2.0, 1.0])[:, [2, 1, 0, 3]]
    grid = common_grid(Scan(USUAL, affine), Volume(USUAL, affine), np.eye(4), None)
    made = volume(np.zeros((12, 12, 12)))
    anatomy = dataclasses.replace(made.anatomy, mask=mask, grid=grid)
    place = dataclasses.replace(made.place, coordinates=(np.indices(SHAPE, np.float32) + 0.5) * 2)
    values = np.where(mask, values, 0).astype(np.float32)
    bins = np.zeros(SHAPE, np.int8)
    return dataclasses.replace(made, anatomy=anatomy, place=place, values=values, counted=mask, bins=bins)


def distances(query: WorkingVolume, reference: WorkingVolume) -> np.ndarray:
    own = CHANNEL.describe(query)
    found = np.full(SHAPE, np.nan, np.float32)
    found[tuple(own["index"])] = CHANNEL.distance(own, CHANNEL.describe(reference))
    return found


def test_it_is_what_a_plain_loop_finds() -> None:
    random = np.random.default_rng(0)
    counted = np.ones((5, 12, 14), bool)
    described: list[Described] = [
        {
            "index": np.stack(np.nonzero(counted)).astype(np.int16),
            "counted": counted,
            "corner": np.zeros(3, np.int16),
            "features": random.standard_normal((5, 6, 7, 32)).astype(np.float16),
        }
        for _ in range(2)
    ]
    found = CHANNEL.distance(*described).reshape(counted.shape)
    own, other = (each["features"].astype(float) for each in described)
    steps = [step for step in itertools.product((-1, 0, 1), repeat=3) if np.abs(step).sum() <= 2]
    assert len(steps) == 19

    def of_cell(z: int, y: int, x: int) -> float:
        return min(float(np.linalg.norm(own[z, y, x] - other[z + a, y + b, x + c])) for a, b, c in steps)

    # A voxel lies a quarter of a cell from the middle of its own.
    parts = [
        (of_cell(2, y, x), wy * wx) for y, wy in ((2, 0.75), (3, 0.25)) for x, wx in ((3, 0.75), (2, 0.25))
    ]
    assert found[2, 5, 6] == pytest.approx(sum(value * weight for value, weight in parts), rel=1e-4)


def test_a_mass_in_white_departs_and_the_same_head_does_not() -> None:
    ill = USUAL.copy()
    ill[2:5, 10:16, 24:30] = 0.8
    found = distances(shown(ill), shown(USUAL))
    assert np.nanmax(distances(shown(USUAL), shown(USUAL))) < 0.01
    np.testing.assert_array_equal(np.isfinite(found), BRAIN)
    assert found[3, 11:15, 25:29].mean() > 4 * np.nanmedian(found)


def test_where_a_scan_ends_is_no_departure() -> None:
    part = BRAIN.copy()
    part[:, 24:] = False
    found = distances(shown(USUAL, part), shown(USUAL))
    np.testing.assert_array_equal(np.isfinite(found), part)
    assert np.nanmax(found) < 0.01
    # What a reference does not show is not compared.
    np.testing.assert_array_equal(np.isfinite(distances(shown(USUAL), shown(USUAL, part))), part)


def test_darker_is_looked_for_in_the_same_picture() -> None:
    plan = Plan(
        "of a test", lambda *_: None, BoxPlacer((12.0, 80.0, 72.0)), lambda *_: shown(USUAL),
        (Value(0.1), CHANNEL), Cells((12.0, 80.0, 72.0), 4.0, 4.0),
    )  # fmt: skip
    scan = MeasuredScan("one", shown(USUAL), {}, {}, {})
    brighter, darker = (
        beside(scan, dataclasses.replace(plan, direction=each), CancelToken()).described[0, "features"]
        for each in (Direction.BRIGHTER, Direction.DARKER)
    )
    np.testing.assert_array_equal(brighter["features"], darker["features"])
