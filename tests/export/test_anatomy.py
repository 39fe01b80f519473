"""Letters, numbers and lengths that say where a slice lies."""

from __future__ import annotations

import numpy as np
import pytest

from napari_d24fad.export.anatomy import (
    direction_letters,
    edge_letters,
    round_length,
    slice_number,
    slice_position_mm,
    slice_text,
)
from napari_d24fad.studies.orientation import canonical
from tests.export.maps import affine_of, make_scan

GRID = (4, 6, 8)


@pytest.mark.parametrize(
    ("direction", "letters"),
    [
        ((1, 0, 0), "L"),
        ((-2, 0, 0), "R"),
        ((0, 3, 0), "P"),
        ((0, -1, 0), "A"),
        ((0, 0, 1), "H"),
        ((0, 0, -1), "F"),
        ((0, -0.94, 0.34), "AH"),  # 20 degrees
        ((0, -0.98, 0.17), "A"),  # 10 degrees
    ],
)
def test_letters_follow_the_dicom_directions(direction: tuple[float, ...], letters: str) -> None:
    assert direction_letters(np.array(direction)) == letters


@pytest.mark.parametrize(
    ("slice_axis", "letters"),
    [(0, ("R", "L", "A", "P")), (1, ("R", "L", "H", "F")), (2, ("A", "P", "H", "F"))],
)
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, -1), (1, -1, 1)])
def test_edges_of_canonical_slices(slice_axis: int, letters: tuple[str, ...], signs: tuple[int, ...]) -> None:
    scan = make_scan(np.zeros(GRID), affine_of(signs=signs), slice_axis=slice_axis)
    assert edge_letters(canonical(scan)) == letters


def test_numbers_and_positions_are_the_same_whichever_way_slices_are_stored() -> None:
    up, down = affine_of(), affine_of(signs=(-1, 1, 1))
    down[2, 3] = up[2, 3] + 3 * 1.5  # the topmost slice comes first
    upwards, downwards = make_scan(np.zeros(GRID), up), make_scan(np.zeros(GRID), down)
    assert [slice_number(upwards, index) for index in range(4)] == [1, 2, 3, 4]
    assert [slice_number(downwards, index) for index in range(4)] == [4, 3, 2, 1]
    for index in range(4):
        assert slice_position_mm(upwards, index) == slice_position_mm(downwards, 3 - index)
        assert slice_text(upwards, index) == slice_text(downwards, 3 - index)
    # z of the origin, and two slices of 1.5 mm further up
    assert slice_text(upwards, 2) == "Axial slice 3 of 4, H 15.8 mm"


def test_images_without_geometry_have_neither_letters_nor_positions() -> None:
    image, pages = make_scan(np.zeros((1, 6, 8))), make_scan(np.zeros(GRID))
    assert edge_letters(image) is None
    assert slice_position_mm(image, 0) is None
    assert slice_text(image, 0) == ""
    assert slice_text(pages, 1) == "Slice 2 of 4"


@pytest.mark.parametrize(
    ("available", "length"), [(60, 50), (50, 50), (49.9, 20), (1, 1), (0.7, 0.5), (1000, 1000), (9.99, 5)]
)
def test_scale_bars_have_round_lengths(available: float, length: float) -> None:
    assert round_length(available) == pytest.approx(length)
