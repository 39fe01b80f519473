"""Slants and gaps: places and weights against a line, for which linear interpolation is exact."""

from __future__ import annotations

import numpy as np
import pytest

from napari_d24fad.errors import Code
from napari_d24fad.studies.regrid import Even, even_places, upright
from napari_d24fad.studies.scan import Problem

PROBLEM = Problem(Code.RESAMPLED)


@pytest.mark.parametrize(
    ("distances", "spacing", "number"),
    [
        ([0, 4, 8, 16, 20], 4.0, 6),
        ([0, 4, 8.01, 16, 20.02], 20.02 / 5, 6),
        ([0, 3, 7, 10, 14], 3.5, 5),
        ([-8, -4, 4], 4.0, 4),
    ],
)
def test_even_places(distances: list[float], spacing: float, number: int) -> None:
    found = even_places(np.array(distances, float), 0.01)
    assert found is not None
    assert found[0] == pytest.approx(spacing)
    assert len(found[1]) == len(found[2]) == number
    even = Even((1, 1), np.eye(4), found[1], found[2], PROBLEM)
    drawn = [even.draw(index, lambda k: np.full((1, 1), distances[k], np.float32)) for index in range(number)]
    np.testing.assert_allclose(np.ravel(drawn), np.linspace(distances[0], distances[-1], number), atol=0.05)


def test_slices_that_are_there_stay_as_they_are() -> None:
    distances = np.array([0.0, 4, 8, 16, 20])
    found = even_places(distances, 0.01)
    assert found is not None
    assert [weight for weight in found[2] if weight] == [0.5]
    even = Even((2, 2), np.eye(4), found[1], found[2], PROBLEM)
    scanned = np.random.default_rng(0).normal(size=(5, 2, 2)).astype(np.float32)
    for index, k in ((0, 0), (1, 1), (2, 2), (4, 3), (5, 4)):
        np.testing.assert_array_equal(even.draw(index, lambda k: scanned[k]), scanned[k])


def test_padding_spreads_into_computed_slices_and_colours_stay_bytes() -> None:
    even = Even((1, 2), np.eye(4), (0, 0, 1), (0.0, 0.5, 0.0), PROBLEM)
    scanned = np.array([[[np.nan, 1]], [[2, 3]]], np.float32)
    np.testing.assert_array_equal(even.draw(1, lambda k: scanned[k]), [[np.nan, 2]])
    colours = np.array([[[[0, 10, 255]] * 2], [[[1, 20, 0]] * 2]], np.uint8)
    drawn = even.draw(1, lambda k: colours[k])
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn[0, 0], [0, 15, 128])


def test_too_many_missing() -> None:
    assert even_places(np.array([0.0, 1, 2, 100]), 0.01) is None


@pytest.mark.parametrize("slant", [(0.0, 0.0), (2.0, 0.0), (-1.5, 0.0), (0.25, -0.75)])
def test_upright(slant: tuple[float, float]) -> None:
    """Slice k of a plane 3 row + 7 column lies slant pixels further down and right each time."""
    grid = (4, 6, 8)
    affine = np.diag([5.0, 2.0, 0.5, 1.0])
    affine[1, 0], affine[2, 0] = slant[0] * 2.0, slant[1] * 0.5
    made = upright(affine, grid, lambda angle: Problem(Code.TILTED, f"{angle:.3f}"))
    across = np.hypot(slant[0] * 2.0, slant[1] * 0.5)
    assert float(made.problem.detail) == pytest.approx(np.degrees(np.arctan2(across, 5.0)), abs=1e-3)
    np.testing.assert_allclose(made.affine[:3, :3], np.diag([5.0, 2.0, 0.5]), atol=1e-12)
    row, column = np.indices(grid[1:])
    for k in range(grid[0]):
        scanned = (3 * row + 7 * column).astype(np.float32)
        drawn = made.draw(k, lambda _, scanned=scanned: scanned)
        assert drawn.shape == made.shape
        measured = np.argwhere(np.isfinite(drawn))
        world = measured * (2.0, 0.5) + made.affine[1:3, 3]
        source = (world - affine[1:3, :1].T * k) / (2.0, 0.5)
        np.testing.assert_allclose(drawn[tuple(measured.T)], source @ (3, 7), atol=1e-4)
        # A part of a pixel costs one row or column, nothing else is lost.
        whole = [length - (shift % 1 != 0) for length, shift in zip(grid[1:], made.shifts[k], strict=True)]
        assert len(measured) == np.prod(whole)


def test_a_whole_number_of_pixels_moves_padding_alone() -> None:
    """Interpolation by scipy would spread it: a weight of 0 times NaN is NaN."""
    made = upright(
        np.array([[5.0, 0, 0, 0], [4, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), (3, 6, 8), lambda _: PROBLEM
    )
    scanned = np.arange(48, dtype=np.float32).reshape(6, 8)
    scanned[2, 3] = np.nan
    for k in range(3):
        drawn = made.draw(k, lambda _: scanned)
        np.testing.assert_array_equal(drawn[2 * k : 2 * k + 6], scanned)
        assert np.isfinite(drawn).sum() == 47
