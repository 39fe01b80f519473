"""Implanted lesions on phantoms whose contrast, size, place and volume are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from napari_d24fad.evaluation.volumes.implants import blob, dots, push, ring_mass, widen

SHAPE = (40, 60, 60)
SPACING = (2.0, 1.0, 1.0)
CENTRE = (20.0, 30.0, 30.0)
LOOSE = np.zeros(SHAPE, np.float32)


def flat(value: float = 100.0) -> npt.NDArray[np.float32]:
    return np.full(SHAPE, value, np.float32)


def volume_mm3(mask: npt.NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(mask) * np.prod(SPACING))


def centre_of(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    return np.argwhere(mask).mean(axis=0)


@pytest.mark.parametrize(("diameter", "change"), [(8.0, 30.0), (16.0, -20.0)])
def test_a_blob_has_its_contrast_size_and_place(diameter: float, change: float) -> None:
    changed, outline = blob(flat(), SPACING, CENTRE, diameter, change)
    assert changed[20, 30, 30] == pytest.approx(100 + change, rel=1e-3)
    assert volume_mm3(outline) == pytest.approx(np.pi / 6 * diameter**3, rel=0.08)
    np.testing.assert_allclose(centre_of(outline), CENTRE, atol=0.05)
    # All that was added, over what is added inside. A radius blurred by 1 mm has the mean cube
    # r^3 + 3 r, which is (1 + 12 / d^2) times as much.
    added = float((changed - 100).sum(dtype=np.float64)) * np.prod(SPACING) / change
    assert added == pytest.approx(np.pi / 6 * diameter**3 * (1 + 12 / diameter**2), rel=0.01)
    # Half of the change at the surface, none of it a few millimetres off.
    edge = changed[20, 30, 30 + round(diameter / 2)]
    assert edge == pytest.approx(100 + change / 2, rel=1e-3)
    assert changed[20, 30, 30 + round(diameter / 2) + 4] == pytest.approx(100, abs=0.01)


def test_an_edge_is_blurred_over_millimetres_not_voxels() -> None:
    changed, _ = blob(flat(), SPACING, CENTRE, 16.0, 100.0)
    profile = changed[20, 30, 30:45] - 100
    assert 10 < profile[7] < 100  # 1 mm inside
    assert 10 < profile[9] < 50  # 1 mm outside
    assert (np.diff(profile) <= 1e-4).all()


def test_dots_are_as_many_as_their_centres() -> None:
    centres = [(10.0, 15.0, 15.0), (20.0, 30.0, 40.0), (30.0, 45.0, 20.0)]
    changed, outline = dots(flat(), SPACING, centres, 4.0, -25.0)
    labels, count = ndimage.label(outline)
    assert count == 3
    found = sorted(tuple(centre) for centre in ndimage.center_of_mass(outline, labels, range(1, 4)))
    np.testing.assert_allclose(found, centres, atol=0.3)
    assert float(changed[20, 30, 40]) == pytest.approx(76, abs=2)


def test_pushing_keeps_the_volume_of_what_lies_around() -> None:
    # A shell from 10 to 14 mm is displaced by a ball that grows from 3 to 8 mm.
    distance = np.sqrt(
        sum(
            ((np.arange(n) - c) * mm).reshape([-1 if axis == own else 1 for axis in range(3)]) ** 2
            for own, (n, c, mm) in enumerate(zip(SHAPE, CENTRE, SPACING, strict=True))
        )
    )
    shell = ((distance > 10) & (distance < 14)).astype(np.float32)
    moved = push(shell, SPACING, CENTRE, 3.0, 8.0, LOOSE)
    inside = distance[moved > 0.5]
    grown = 8.0**3 - 3.0**3
    assert inside.min() == pytest.approx((10**3 + grown) ** (1 / 3), abs=0.8)
    assert inside.max() == pytest.approx((14**3 + grown) ** (1 / 3), abs=0.8)
    assert moved.sum() == pytest.approx(shell.sum(), rel=0.06)
    # What is stiff stays.
    np.testing.assert_allclose(push(shell, SPACING, CENTRE, 3.0, 8.0, LOOSE + 1), shell, atol=1e-5)


def test_a_mass_has_core_rim_and_oedema_and_displaces() -> None:
    values = flat() + np.where(np.arange(60) == 44, 40, 0).astype(np.float32)  # a plane 14 mm off
    changed, outline = ring_mass(values, SPACING, CENTRE, 16.0, 20.0, LOOSE)
    assert changed[20, 30, 30] == pytest.approx(100 - 30, abs=1)  # core
    assert changed[20, 30, 36:38].max() > 100 + 10  # rim, blurred from both sides
    assert changed[20, 30, 40] == pytest.approx(100 - 12, abs=1.5)  # oedema
    # The plane moved outwards, and most on the axis: from 14 to (14^3 + 5.33^3 - 2.67^3)^(1/3) mm.
    assert 30 + 14 <= changed[20, 30, 43:].argmax() + 43 <= 30 + 15
    assert changed[0, 0, 44] == pytest.approx(140, abs=1)
    assert volume_mm3(outline) == pytest.approx(np.pi / 6 * (1.6 * 16) ** 3, rel=0.08)
    np.testing.assert_allclose(centre_of(outline), CENTRE, atol=0.1)


def test_a_wider_cavity_has_the_volume_of_its_new_border_and_no_new_value() -> None:
    z, y, x = (np.arange(n, dtype=float) for n in SHAPE)
    cavity = (
        ((z[:, None, None] - 20) * 2) ** 2 + (y[None, :, None] - 30) ** 2 + (x[None, None, :] - 30) ** 2
    ) < 8**2
    values = np.where(cavity, 20.0, 100.0).astype(np.float32)
    changed, widened = widen(values, SPACING, cavity, 3.0, LOOSE)
    assert volume_mm3(widened) == pytest.approx(4 / 3 * np.pi * 11**3, rel=0.08)
    np.testing.assert_allclose(centre_of(widened), CENTRE, atol=0.1)
    assert (changed.min(), changed.max()) == (20.0, 100.0)
    assert changed[20, 30, 30 + 10] < 40 < 60 < changed[20, 30, 30 + 13]
    # Five times 3 mm behind the new border nothing has moved.
    stripes = values + np.where(x.astype(int) % 4 == 0, 5, 0).astype(np.float32)
    moved, _ = widen(stripes, SPACING, cavity, 3.0, LOOSE)
    np.testing.assert_allclose(moved[20, 30, 57:], stripes[20, 30, 57:], atol=0.05)
    still, same = widen(values, SPACING, cavity, 3.0, LOOSE + 1)
    np.testing.assert_allclose(still, values, atol=1e-4)
    np.testing.assert_array_equal(same, cavity)


def test_nothing_is_folded_when_a_cavity_widens() -> None:
    ramp = np.broadcast_to(np.arange(60, dtype=np.float32), SHAPE).copy()
    cavity = np.zeros(SHAPE, bool)
    cavity[16:24, 24:36, 24:36] = True
    moved, _ = widen(ramp, SPACING, cavity, 4.0, LOOSE)
    outside = moved[20, 30, 36:]  # along a ray from the cavity the source only moves outwards
    assert (np.diff(outside) > 0).all()
