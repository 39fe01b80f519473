"""Lesions put into volumes: pure functions of arrays, distances in mm, with edges that are blurred.

Each returns the changed volume and the outline of what was changed. Centres are array indices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special

from napari_d24fad.metrics.volumes import BoolArray, FloatArray, Spacing

EDGE_MM = 1.0
"""Standard deviation of the blur of an edge."""

Index = tuple[float, float, float] | npt.NDArray[np.floating]


def ball(shape: tuple[int, ...], spacing: Spacing, centre: Index, diameter_mm: float) -> FloatArray:
    """Returns how much of each voxel a ball with a blurred surface fills, 0 to 1; half at its radius."""
    distance = distances(shape, spacing, centre)
    filled = 0.5 * special.erfc((distance - diameter_mm / 2) / (np.sqrt(2) * EDGE_MM))
    return np.asarray(filled, np.float32)


def blob(
    voxels: FloatArray, spacing: Spacing, centre: Index, diameter_mm: float, change: float
) -> tuple[FloatArray, BoolArray]:
    """Adds a ball that is brighter or darker than what it lies in.

    Args:
        voxels: ``(slices, rows, columns)``.
        spacing: Distance of neighbouring voxels along each axis.
        centre: Its centre.
        diameter_mm: Where the change is half of what it is inside.
        change: What is added inside, in the units of the volume.
    """
    filled = ball(voxels.shape, spacing, centre, diameter_mm)
    return voxels + np.float32(change) * filled, filled >= 0.5


def dots(
    voxels: FloatArray, spacing: Spacing, centres: Sequence[Index], diameter_mm: float, change: float
) -> tuple[FloatArray, BoolArray]:
    """Adds several small balls; see `blob`."""
    filled = np.max([ball(voxels.shape, spacing, centre, diameter_mm) for centre in centres], axis=0)
    return voxels + np.float32(change) * filled, filled >= 0.5


def ring_mass(
    voxels: FloatArray,
    spacing: Spacing,
    centre: Index,
    diameter_mm: float,
    contrast: float,
    stiffness: FloatArray,
) -> tuple[FloatArray, BoolArray]:
    """Adds a mass: a dark core, a bright rim, dark oedema around it; what was there is pushed aside.

    The tissue is displaced as by a ball of two thirds of the diameter that grew from a third of it, less
    with distance and where it is stiff. Rim and core take 1 and -1.5 of the contrast, oedema -0.6.

    Args:
        voxels: ``(slices, rows, columns)``.
        spacing: Distance of neighbouring voxels along each axis.
        centre: Its centre.
        diameter_mm: Of the rim, outside.
        contrast: Unit of its changes, in the units of the volume.
        stiffness: ``(slices, rows, columns)``, 1 where nothing moves, 0 where all does.
    """
    pushed = push(voxels, spacing, centre, diameter_mm / 6, diameter_mm / 3, stiffness)
    outer = ball(voxels.shape, spacing, centre, diameter_mm)
    core = ball(voxels.shape, spacing, centre, 0.6 * diameter_mm)
    oedema = ball(voxels.shape, spacing, centre, 1.6 * diameter_mm) * (1 - outer) * (1 - stiffness)
    # Rim and core replace what lies there: a mass has one look wherever it grows.
    base = float(np.median(voxels[outer >= 0.5]))
    mass = base + contrast * ((outer - core) - 1.5 * core)
    changed = pushed * (1 - outer) + mass * outer - 0.6 * contrast * oedema
    return changed.astype(np.float32), (outer >= 0.5) | (oedema >= 0.5)


def push(
    voxels: FloatArray,
    spacing: Spacing,
    centre: Index,
    from_mm: float,
    to_mm: float,
    stiffness: FloatArray,
) -> FloatArray:
    """Displaces a volume as if a ball within it grew, keeping the volume of what lies around it.

    What was at distance ``s`` from the centre comes to ``r`` with ``r^3 = s^3 + to^3 - from^3`` where
    nothing is stiff (the ball itself is stretched evenly).

    Args:
        voxels: ``(slices, rows, columns)``.
        spacing: Distance of neighbouring voxels along each axis.
        centre: Of the ball.
        from_mm: Its radius before.
        to_mm: Its radius after, larger.
        stiffness: See `ring_mass`.
    """
    distance = distances(voxels.shape, spacing, centre)
    source = np.where(
        distance > to_mm,
        np.cbrt(np.maximum(distance**3 - to_mm**3 + from_mm**3, 0)),
        distance * (from_mm / to_mm),
    )
    share = np.divide(source, distance, out=np.ones_like(distance), where=distance > 0)
    share = 1 - (1 - share) * (1 - stiffness)
    grid = np.indices(voxels.shape, dtype=np.float32)
    centred = np.asarray(centre, np.float32)[:, None, None, None]
    return _sample(voxels, centred + (grid - centred) * share)


def widen(
    voxels: FloatArray, spacing: Spacing, cavity: BoolArray, by_mm: float, stiffness: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Widens a cavity, such as the ventricles: its border moves outwards, the tissue behind is squeezed.

    The displacement is ``by_mm`` up to the new border and falls to 0 within five times that distance
    behind it, so nothing is folded. No value is made up: every voxel is one of the volume.

    Args:
        voxels: ``(slices, rows, columns)``.
        spacing: Distance of neighbouring voxels along each axis.
        cavity: What is widened.
        by_mm: How far its border moves.
        stiffness: See `ring_mass`.

    Returns:
        The volume, and the widened cavity.
    """
    outside = ndimage.distance_transform_edt(~cavity, sampling=spacing)
    inside = ndimage.distance_transform_edt(cavity, sampling=spacing)
    # Smoothed: along the crest between two parts of the cavity the direction would jump.
    signed = ndimage.gaussian_filter((outside - inside).astype(np.float32), [1.5 / mm for mm in spacing])
    behind = np.clip((signed - by_mm) / (5 * by_mm), 0, 1)
    # Smooth at both ends; its steepest slope of 1.9 / (5 by) keeps the map one to one.
    amount = by_mm * 0.5 * (1 + np.cos(np.pi * behind)) * (1 - stiffness)
    amount *= np.clip(1 + signed / max(float(inside.max()), 1e-3), 0, 1)  # the middle stays where it is
    slope = np.stack(np.gradient(signed, *spacing))
    length = np.maximum(np.linalg.norm(slope, axis=0), 1e-3)
    offset = slope / length * amount / np.asarray(spacing, np.float32)[:, None, None, None]
    source = np.indices(voxels.shape, dtype=np.float32) - offset
    widened = _sample(cavity.astype(np.float32), source) >= 0.5
    return _sample(voxels, source), widened


def distances(shape: tuple[int, ...], spacing: Spacing, centre: Index) -> npt.NDArray[np.float64]:
    """Returns the distance in mm of each voxel to a place."""
    squares = [
        ((np.arange(length) - at) * mm) ** 2 for length, mm, at in zip(shape, spacing, centre, strict=True)
    ]
    first, second, third = np.ix_(*squares)
    return np.asarray(np.sqrt(first + second + third))


def _sample(array: FloatArray, places: npt.NDArray[np.floating]) -> FloatArray:
    """Values between voxels. Cubic: linear ones would smooth the noise, which alone could be noticed."""
    values = ndimage.map_coordinates(array, places, order=3, mode="nearest")
    return np.asarray(np.clip(values, array.min(), array.max()), np.float32)
