"""Places of the common space mean the same in heads that lie differently."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.place import BoxPlacer, Placer
from napari_d24fad.anatomy.straight import UprightPlacer
from tests.anatomy.heads import Clot, Head, draw

BOX = (130.0, 180.0, 150.0)
MARKS = ((35.0, -30.0, 20.0), (-35.0, 30.0, 20.0), (0.0, 50.0, 10.0))


def marks_at(head: Head, placer: Placer) -> np.ndarray:
    """Returns where marks that are fixed to the head come to lie in the common space."""
    scan, _, _ = draw(head)
    anatomy = find_anatomy(scan)
    place = placer.place(anatomy)
    found = []
    for mark in MARKS:
        _, _, ball = draw(replace(head, clots=[Clot(mark, 8)]))
        inside = anatomy.grid.reduce(ball) > 0.5
        found.append(place.coordinates[:, inside].mean(axis=1))
    return np.array(found)


def test_turned_and_tilted_heads_are_laid_straight() -> None:
    straight = Head(spacing=(5, 2, 2))
    turned = replace(straight, turn=25, tilt=10)
    want = marks_at(straight, UprightPlacer(BOX))
    off = np.linalg.norm(marks_at(turned, UprightPlacer(BOX)) - want, axis=1)
    assert off.max() < 8
    off_in_box = np.linalg.norm(marks_at(turned, BoxPlacer(BOX)) - marks_at(straight, BoxPlacer(BOX)), axis=1)
    assert off_in_box.max() > 15


def test_mirror_of_a_mirror_is_the_place_itself() -> None:
    scan, _, _ = draw(Head(spacing=(5, 2, 2), turn=15))
    anatomy = find_anatomy(scan)
    place = UprightPlacer(BOX).place(anatomy)
    assert place.mirror is not None
    left = anatomy.mask & (place.coordinates[2] > 100)
    nearest = tuple(np.rint(place.mirror[:, left]).astype(int))
    other = place.coordinates[:, *nearest]
    np.testing.assert_allclose(other[2], BOX[2] - place.coordinates[2][left], atol=3)
    np.testing.assert_allclose(other[1], place.coordinates[1][left], atol=3)


def test_depth_is_measured_in_planes_in_mm() -> None:
    scan, _, _ = draw(Head(spacing=(5, 2, 2)))
    anatomy = find_anatomy(scan)
    depth = UprightPlacer(BOX).place(anatomy).depth
    assert (depth[~anatomy.mask] == 0).all()
    assert 60 < depth.max() < 75  # half the width of the head
