"""How a scan is held against the references: numbers that follow from the definitions."""

from __future__ import annotations

import numpy as np

from napari_d24fad.anatomy.found import Anatomy, Kind
from napari_d24fad.anatomy.grid import working_grid
from napari_d24fad.anatomy.place import Place
from napari_d24fad.detection.atlas.evenness import Evenness
from napari_d24fad.detection.channels.channel import mean_of_nearest
from napari_d24fad.detection.channels.table import Cells, Expectation, sums_of, total
from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.studies.scan import Scan

SHAPE, MM = (12, 12, 12), 2.0
BOX = (24.0, 24.0, 24.0)
BORDER = (np.indices(SHAPE)[2] >= 6).astype(np.float32)


def volume(values: np.ndarray) -> WorkingVolume:
    everywhere = np.ones(SHAPE, bool)
    scan = Scan(values.astype(np.float32), np.diag([-MM, -MM, MM, 1.0])[:, [2, 1, 0, 3]])
    grid = working_grid(scan, (MM, MM, MM))
    place = Place((np.indices(SHAPE, np.float32) + 0.5) * MM, np.full(SHAPE, 9, np.float32), None)
    anatomy = Anatomy(Kind.TISSUE, grid, everywhere, values.astype(np.float32))
    return WorkingVolume(anatomy, place, values.astype(np.float32), everywhere, np.zeros(SHAPE, np.int8), 1)


def test_the_nearest_of_a_query_are_those_of_one_reference_less() -> None:
    random = np.random.default_rng(0)
    distances = list(random.exponential(size=(6, 500)).astype(np.float32))
    distances[2][random.random(500) < 0.3] = np.nan
    distances[4][:250] = np.nan
    found = mean_of_nearest(distances, 3, leaving_one_out=True)
    apart = [mean_of_nearest(distances[:at] + distances[at + 1 :], 3) for at in range(6)]
    np.testing.assert_allclose(found, np.mean(apart, axis=0), rtol=1e-5)
    assert (found > mean_of_nearest(distances, 3)).any()


def test_with_fewer_than_the_nearest_all_count_alike() -> None:
    distances = [np.float32([1.0, np.nan]), np.float32([3.0, np.nan])]
    found = mean_of_nearest(distances, 3, leaving_one_out=True)
    np.testing.assert_array_equal(found, np.float32([2.0, np.nan]))


def test_a_border_between_tissues_is_no_spread_of_the_references() -> None:
    shifts = np.array([-0.3, -0.1, 0.1, 0.3])
    scans = [volume(BORDER + shift) for shift in shifts]
    query = volume(BORDER)
    own = Cells(BOX, MM, 0.0, spread_mm=2.0)
    sums = total([sums_of(scan.values, scan, own) for scan in scans])
    mean, spread = Expectation(sums, own).of(query)
    np.testing.assert_allclose(mean, BORDER.ravel(), atol=1e-5)
    # Unbiased variance of four shifts, and that of their mean: what a fifth scan is expected to show.
    expected = np.sqrt(shifts.var(ddof=1) * (1 + 1 / 4))
    np.testing.assert_allclose(spread, expected, rtol=1e-3)
    smoothed = Cells(BOX, MM, 2.0)
    sums = total([sums_of(scan.values, scan, smoothed) for scan in scans])
    _, with_border = Expectation(sums, smoothed).of(query)
    assert with_border.reshape(SHAPE)[6, 6, 6] > 1.4 * expected


def test_maps_reach_as_far_as_those_of_the_references_but_a_large_lesion_stays() -> None:
    noise = [np.random.default_rng(seed).normal(size=(20, 20, 20)).astype(np.float32) for seed in range(5)]
    even = Evenness.of(noise)
    np.testing.assert_allclose(even.evened(noise[0] * 1.2), even.evened(noise[0]), rtol=1e-5)
    lesion = noise[0].copy()
    lesion[:8] += 50.0
    assert even.evened(lesion)[:8].mean() > 30
    assert Evenness.of([]).evened(lesion) is lesion
    assert np.isnan(even.evened(np.full((2, 2, 2), np.nan, np.float32))).all()
