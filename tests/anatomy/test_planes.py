"""Shapes in a plane: what is computed in a box, row by row, is what distances in the whole picture give."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_d24fad.anatomy.planes import dilated, eroded

SPACING = (1.5, 1.2)


def shape(top: int, left: int) -> np.ndarray:
    noise = np.random.default_rng(top).standard_normal((50, 60))
    plane = ndimage.gaussian_filter(noise, 3) > 0.02
    plane[:top] = plane[:, :left] = plane[40:] = False
    return plane


@pytest.mark.parametrize("radius", [0.5, 3.0, 4.5, 18.0])
@pytest.mark.parametrize(("top", "left"), [(0, 0), (20, 0), (7, 25)])
def test_growing_and_shrinking_are_by_distance_in_the_whole_picture(
    radius: float, top: int, left: int
) -> None:
    plane = shape(top, left)
    assert plane.any()
    near = ndimage.distance_transform_edt(~plane, sampling=SPACING) <= radius
    deep = ndimage.distance_transform_edt(plane, sampling=SPACING) > radius
    np.testing.assert_array_equal(dilated(plane, radius, SPACING), near)
    np.testing.assert_array_equal(eroded(plane, radius, SPACING), deep)


@pytest.mark.parametrize("spacing", [(0.45, 0.9), (2.5, 3.3), (12.0, 2.0)])
def test_pixels_may_be_long_or_wider_than_the_radius(spacing: tuple[float, float]) -> None:
    plane = shape(0, 0)
    near = ndimage.distance_transform_edt(~plane, sampling=spacing) <= 4.5
    deep = ndimage.distance_transform_edt(plane, sampling=spacing) > 4.5
    np.testing.assert_array_equal(dilated(plane, 4.5, spacing), near)
    np.testing.assert_array_equal(eroded(plane, 4.5, spacing), deep)


def test_nothing_stays_nothing_and_all_stays_all() -> None:
    for plane in (np.zeros((8, 9), bool), np.ones((8, 9), bool)):
        np.testing.assert_array_equal(dilated(plane, 2.0, SPACING), plane)
        np.testing.assert_array_equal(eroded(plane, 2.0, SPACING), plane)
