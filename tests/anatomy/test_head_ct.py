"""The inside of the skull of made-up heads, and when it cannot be found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.anatomy.brain_window import brain_window
from napari_d24fad.anatomy.check import faults_inside_skull
from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import Kind
from napari_d24fad.anatomy.grid import working_grid
from napari_d24fad.anatomy.head_ct import head_ct, intracranial
from napari_d24fad.errors import Code
from tests.anatomy.heads import Clot, Head, draw

PLAIN = Head(spacing=(5.0, 2.0, 2.0))


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


@pytest.mark.parametrize(
    "head",
    [
        PLAIN,
        replace(PLAIN, seed=1, windowed=True, positioner=True),
        replace(PLAIN, seed=2, turn=25, nod=8),
        replace(PLAIN, seed=3, tilt=25),
        replace(PLAIN, seed=4, spacing=(10, 2, 2)),
        replace(PLAIN, seed=5, low=-140),  # begins below the chin
        replace(PLAIN, seed=6, low=0, high=20),  # some slices only
        replace(PLAIN, seed=7, spacing=(2.5, 1, 1), low=10, high=40),
        replace(PLAIN, seed=8, high=20),  # the vertex is cut off
        replace(PLAIN, seed=9, size=0.72, skull=(2.5, 350.0), spacing=(2.5, 2, 2)),  # a child of a year
        replace(PLAIN, seed=10, spacing=(0.8, 2, 2), padded=True, noise=9),
        replace(PLAIN, seed=11, gantry=20),
    ],
    ids=[
        "plain",
        "8-bit",
        "turned",
        "tilted",
        "thick",
        "from the chin",
        "five slices",
        "thin",
        "no vertex",
        "child",
        "thinnest, padded",
        "gantry",
    ],
)
def test_inside_of_the_skull(head: Head) -> None:
    scan, inside, _ = draw(head)
    anatomy = find_anatomy(scan)
    assert anatomy.kind is Kind.INTRACRANIAL
    assert anatomy.problems == ()
    assert dice(anatomy.grid.expand(anatomy.mask), inside) > 0.92


def test_three_slices() -> None:
    scan, inside, _ = draw(replace(PLAIN, low=10, high=21))
    anatomy = find_anatomy(scan)
    assert anatomy.mask.shape[0] == 3
    assert dice(anatomy.grid.expand(anatomy.mask), inside) > 0.95


def test_clot_beside_bone_stays_in() -> None:
    scan, inside, clot = draw(replace(PLAIN, windowed=True, clots=[Clot((52, 0, 15), 24)]))
    anatomy = find_anatomy(scan)
    mask = anatomy.grid.expand(anatomy.mask)
    assert anatomy.problems == ()
    assert (mask & clot).sum() > 0.93 * clot.sum()  # the outermost voxels are partly bone
    assert dice(mask, inside) > 0.92


def test_huge_lesion_stays_in() -> None:
    scan, inside, clot = draw(replace(PLAIN, clots=[Clot((22, -10, 15), 40, hu=55)]))
    anatomy = find_anatomy(scan)
    mask = anatomy.grid.expand(anatomy.mask)
    assert (mask & clot).sum() > 0.95 * clot.sum()
    assert dice(mask, inside) > 0.92


@pytest.mark.parametrize("radius", [30.0, 60.0])
def test_open_skull_is_bridged(radius: float) -> None:
    scan, inside, _ = draw(replace(PLAIN, seed=3, flap=radius))
    anatomy = find_anatomy(scan)
    mask = anatomy.grid.expand(anatomy.mask)
    assert anatomy.kind is Kind.INTRACRANIAL
    assert (mask & inside).sum() > 0.9 * inside.sum()
    assert (mask & ~inside).sum() < 0.05 * inside.sum()


def test_mask_that_leaks_is_noticed() -> None:
    scan, _, _ = draw(PLAIN)
    window = brain_window(scan.voxels, "CT")
    assert window is not None
    head = head_ct(scan.voxels, working_grid(scan, (5, 2, 2)), window)
    mask = intracranial(head)
    assert faults_inside_skull(mask, head) == ()
    leaking = mask.copy()
    leaking[20] = head.grey[20] < 200  # the room around the head
    assert any("volume" in fault or "air" in fault for fault in faults_inside_skull(leaking, head))
    jumping = mask.copy()
    jumping[20] = False
    jumping[20, :6, :6] = True
    assert any("jumps" in fault for fault in faults_inside_skull(jumping, head))
    assert faults_inside_skull(np.zeros_like(mask), head) != ()


def test_what_is_no_head_falls_back_to_the_body_and_says_so() -> None:
    scan, _, _ = draw(PLAIN)
    soft = replace(scan, voxels=np.where(scan.voxels > 200, 60, scan.voxels))
    anatomy = find_anatomy(soft, Kind.INTRACRANIAL)
    assert anatomy.kind is Kind.BODY
    assert [problem.code for problem in anatomy.problems] == [Code.MASK_REPLACED]
    assert anatomy.volume_ml > 1000
