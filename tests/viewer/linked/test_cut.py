from __future__ import annotations

import numpy as np
import pytest

from napari_d24fad.viewer.linked.cut import cut_along

# Columns: where the axes of the array lead in the patient (LPS).
DOWN, FORWARD, RIGHT = (0, 0, -1), (0, -1, 0), (-1, 0, 0)
SHAPE = (5, 6, 7)


@pytest.mark.parametrize(
    ("across", "name", "letters"),
    [
        (0, "Axial", ("R", "L", "A", "P")),
        (1, "Coronal", ("R", "L", "H", "F")),
        (2, "Sagittal", ("A", "P", "H", "F")),
    ],
)
def test_every_cut_of_a_turned_array_is_upright(across: int, name: str, letters: tuple[str, ...]) -> None:
    directions = np.array([DOWN, FORWARD, RIGHT], float).T
    cut = cut_along(across, directions, (4.0, 2.0, 1.0))
    assert (cut.name, cut.letters) == (name, letters)
    volume = np.zeros(SHAPE)
    place = (1.0, 4.0, 2.0)  # near the head, in front, on the left
    volume[1, 4, 2] = 1
    picture = cut.picture(volume, int(place[across]))
    assert [tuple(each) for each in np.argwhere(picture)] == [cut.in_picture(place, SHAPE)]
    assert cut.in_array(cut.in_picture(place, SHAPE), place[across], SHAPE) == place
    lps = directions @ np.subtract(place, np.array(SHAPE) / 2)
    row, column = np.array(cut.in_picture(place, SHAPE)) + 0.5 - np.array(picture.shape) / 2
    assert np.sign(column) == np.sign(lps[0] if across != 2 else lps[1])
    assert np.sign(row) == (np.sign(lps[1]) if across == 0 else -np.sign(lps[2]))


def test_unknown_sides_turn_nothing() -> None:
    cut = cut_along(1, None, (4.0, 2.0, 1.0))
    assert (cut.letters, cut.name, cut.flips, cut.step) == (None, "", (False, False), (4.0, 1.0))
