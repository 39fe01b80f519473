import numpy as np
import numpy.typing as npt
import pytest

from napari_d24fad.detection.references.regions import find_regions
from napari_d24fad.studies.scan import Scan

GRID = (20, 60, 50)
SPACING = np.array([3.0, 1.0, 1.5])
PEAKS = np.array([1.0, 2.0, 6.0])


def oblique() -> npt.NDArray[np.float64]:
    """Turned by 25 degrees about x and 40 about z, no axis along the patient's."""
    a, b = np.radians([25, 40])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x @ np.eye(3)[:, ::-1] * SPACING
    affine[:3, 3] = (-31, 40, 12)
    return affine


def ball(
    affine: npt.NDArray[np.float64], centre: npt.NDArray[np.float64], radius: float
) -> npt.NDArray[np.bool_]:
    places = np.stack(np.indices(GRID), axis=-1) @ affine[:3, :3].T + affine[:3, 3]
    return np.asarray(((places - centre) ** 2).sum(axis=-1) <= radius**2)


def test_a_ball_in_an_oblique_scan_has_its_volume_centre_and_extent_in_millimetres() -> None:
    affine = oblique()
    centre = affine[:3, :3] @ [10, 30, 25] + affine[:3, 3]
    values = np.where(ball(affine, centre, 12.2), 5, 0.5).astype(np.float32)
    values[10, 30, 26] = 7
    values[:3] = np.nan
    (region,) = find_regions(values, Scan(np.zeros(GRID), affine), 1.0, 1, PEAKS)
    assert region.volume_mm3 == pytest.approx(4 / 3 * np.pi * 12.2**3, rel=0.03)
    assert region.area_mm2 is None
    np.testing.assert_allclose(region.centroid_mm, centre, atol=0.05)
    np.testing.assert_allclose(region.centroid_index, (10, 30, 25), atol=0.05)
    np.testing.assert_allclose(region.extent_mm, (24.4, 24.4, 24.4), atol=3.01)
    assert region.peak_index == (10, 30, 26)
    assert region.peak == 7
    assert region.mean == pytest.approx(5 + 2 / region.n_voxels, rel=1e-5)
    assert region.slices == (6, 14)
    assert region.p_value == pytest.approx(1 / 4)


def test_rank_is_by_what_exceeds_the_level_and_small_ones_are_left_out() -> None:
    values = np.zeros(GRID, np.float32)
    values[2:4, 5:15, 5:15] = 2  # 200 voxels x 1 above the level
    values[8:10, 5:10, 5:10] = 9  # 50 voxels x 8 above
    values[15, 40, 40] = 100
    first, second = find_regions(values, Scan(np.zeros(GRID), oblique()), 1.0, 2, PEAKS)
    assert (first.number, first.n_voxels, first.slices) == (1, 50, (8, 9))
    assert (second.number, second.n_voxels, second.p_value) == (2, 200, 3 / 4)


def test_voxels_that_touch_at_an_edge_are_two_regions() -> None:
    values = np.zeros(GRID, np.float32)
    values[4, 4:8, 4:8] = 2
    values[5, 8:12, 4:8] = 2
    assert len(find_regions(values, Scan(np.zeros(GRID), oblique()), 1.0, 1, PEAKS)) == 2


def test_slices_are_counted_along_the_axis_of_the_scan() -> None:
    values = np.zeros(GRID, np.float32)
    values[2:4, 5:15, 20:23] = 2
    (region,) = find_regions(values, Scan(np.zeros(GRID), oblique(), slice_axis=2), 1.0, 1, PEAKS)
    assert region.slices == (20, 22)


def test_an_image_has_an_area_and_one_without_geometry_no_millimetres() -> None:
    values = np.zeros((1, 60, 50), np.float32)
    values[0, 10:20, 10:14] = 2
    (region,) = find_regions(values, Scan(np.zeros((1, 60, 50)), oblique()), 1.0, 1, PEAKS)
    assert region.area_mm2 == pytest.approx(40 * 1.5)
    assert region.volume_mm3 is None
    unknown = Scan(np.zeros((1, 60, 50)), np.eye(4), has_geometry=False)
    (region,) = find_regions(values, unknown, 1.0, 1, PEAKS)
    assert (region.volume_mm3, region.area_mm2, region.extent_mm, region.centroid_mm) == (None,) * 4
    assert region.n_voxels == 40


def test_nothing_above_the_level_is_no_region() -> None:
    values = np.full(GRID, np.nan, np.float32)
    assert find_regions(values, Scan(np.zeros(GRID), oblique()), 1.0, 1, PEAKS) == ()
