"""Made-up heads in CT: a brain with ventricles and midline in a skull, on any grid, fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.errors import Code
from napari_d24fad.export.nifti import nifti_affine
from napari_d24fad.studies.regrid import Upright, upright
from napari_d24fad.studies.scan import Problem, Scan

Point = tuple[float, float, float]
Mask = npt.NDArray[np.bool_]

HALF_MM = np.array([68.0, 84.0, 66.0])  # of the inside of the skull along LPS


@dataclass(frozen=True)
class Clot:
    """A ball of blood; ``at`` is in LPS mm of the head that lies straight, from its middle."""

    at: Point
    radius: float
    hu: float = 68.0


@dataclass(frozen=True)
class Head:
    """What is drawn. Lengths in mm, angles in degrees.

    Attributes:
        seed: Of the subject: its size, its ventricles, its noise.
        spacing: Of the grid along (slice, row, column).
        low: Height of the lowest slice from the middle of the brain.
        high: Of the highest.
        turn: About the axis from foot to head.
        tilt: About the axis from front to back.
        nod: About the axis from side to side.
        gantry: Angle that the slices stand at to their stack, which reading made upright again.
        size: Of the head; a child's is smaller.
        skull: How thick it is in mm, and its HU.
        padded: Whether what lies outside a round field of view is -1024.
        flap: Radius of the part of the skull that is missing on the left; 0 for a whole skull.
        positioner: Whether a head holder lies around the head.
        windowed: Whether the scan is saved as 8-bit pictures of the brain window.
        metal: Where a piece of metal lies, in LPS mm as a clot; it draws streaks in its slices.
        clots: Lesions.
    """

    seed: int = 0
    spacing: Point = (5.0, 1.5, 1.5)
    low: float = -75.0
    high: float = 85.0
    turn: float = 0.0
    tilt: float = 0.0
    nod: float = 0.0
    gantry: float = 0.0
    size: float = 1.0
    skull: tuple[float, float] = (7.0, 900.0)
    padded: bool = False
    flap: float = 0.0
    positioner: bool = False
    windowed: bool = False
    mirrored: bool = False
    noise: float = 3.0
    metal: Point | None = None
    clots: Sequence[Clot] = field(default_factory=tuple)


def draw(head: Head) -> tuple[Scan, Mask, Mask]:
    """Returns the scan, the true inside of its skull, and its lesions."""
    chance = np.random.default_rng(head.seed)
    half = HALF_MM * chance.uniform(0.95, 1.05, 3)
    shape = (
        int((head.high - head.low) / head.spacing[0]) + 1,
        int(220 / head.spacing[1]),
        int(190 / head.spacing[2]),
    )
    z, y, x = np.meshgrid(
        head.low + np.arange(shape[0]) * head.spacing[0],
        -110 + np.arange(shape[1]) * head.spacing[1],
        -95 + np.arange(shape[2]) * head.spacing[2],
        indexing="ij",
        sparse=True,
    )
    lean = np.radians(head.gantry)
    z, y = z + y * np.sin(lean), y * np.cos(lean)
    room = np.stack(np.broadcast_arrays(x, y, z)).reshape(3, -1)
    straight = (_rotation(head).T @ room).reshape(3, *shape).astype(np.float32)
    hu, inside = _tissue(straight / head.size, half, chance, head.skull[0] / head.size, head.skull[1])
    if head.flap:
        hole = (straight[0] > 40) & (np.hypot(straight[1], straight[2] - 20) < head.flap) & (hu > 300)
        hu[hole] = 40
    lesion = np.zeros(shape, bool)
    for clot in head.clots:
        ball = sum((p - a) ** 2 for p, a in zip(straight, clot.at, strict=True)) < clot.radius**2
        lesion |= ball & inside
        hu[ball & inside] = clot.hu
    if head.metal:
        right, back, up = (p - a for p, a in zip(straight, head.metal, strict=True))
        apart = np.hypot(right, back)
        streaks = 30 * np.cos(8 * np.arctan2(back, right)) * np.exp(-apart / 40)
        hu += np.where((np.abs(up) < 6) & (hu > -200), streaks, 0)
        hu[np.hypot(apart, up) < 4] = 3000
    if head.positioner:
        around = np.hypot(x, y - 10)
        hu[np.broadcast_to((around > 88) & (around < 92) & (y > 40), shape)] = 150
    hu = ndimage.gaussian_filter(hu, (0, 0.5, 0.5)) + chance.normal(0, head.noise, shape).astype(np.float32)
    if head.padded:
        hu[np.broadcast_to(np.hypot(x, y) > 108, shape)] = -1024
    if head.windowed:
        hu = np.rint(np.clip((hu + 20) / 120 * 255, 0, 255))
    affine = np.array(
        [
            [0, 0, head.spacing[2], -95],
            [0, head.spacing[1] * np.cos(lean), 0, -110 * np.cos(lean)],
            [head.spacing[0], head.spacing[1] * np.sin(lean), 0, head.low - 110 * np.sin(lean)],
            [0, 0, 0, 1.0],
        ]
    )
    voxels = hu.astype(np.float32)
    if head.gantry:
        order = upright(affine, shape, lambda angle: Problem(Code.TILTED))
        voxels, inside, lesion = (_upright(order, each) for each in (voxels, inside, lesion))
        affine = order.affine
    if head.mirrored:  # the pixels change sides, the geometry does not say so
        voxels, inside, lesion = voxels[:, :, ::-1], inside[:, :, ::-1], lesion[:, :, ::-1]
    scan = Scan(np.ascontiguousarray(voxels), affine, modality="" if head.windowed else "CT")
    return scan, np.ascontiguousarray(inside), np.ascontiguousarray(lesion)


def _upright(order: Upright, voxels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    moved: npt.NDArray[np.float32] = np.stack(
        [order.draw(at, lambda index: voxels[index].astype(np.float32)) for at in range(len(voxels))]
    ).astype(np.float32)
    return np.asarray(moved > 0.5) if voxels.dtype == bool else moved


def _rotation(head: Head) -> npt.NDArray[np.float64]:
    turn, tilt, nod = np.radians((head.turn, head.tilt, head.nod))
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    about_y = np.array([[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(nod), -np.sin(nod)], [0, np.sin(nod), np.cos(nod)]])
    return np.asarray(about_z @ about_y @ about_x)


def _tissue(
    at: npt.NDArray[np.float32],
    half: npt.NDArray[np.float64],
    chance: np.random.Generator,
    thick: float,
    bone: float,
) -> tuple[npt.NDArray[np.float32], Mask]:
    """Returns HU of a head, and what lies inside its skull."""
    x, y, z = at

    def ball(centre: Point, radii: Sequence[float]) -> Mask:
        return np.asarray(sum(((p - c) / r) ** 2 for p, c, r in zip(at, centre, radii, strict=True)) < 1)

    # The vault, cut off below by a skull base that rises to the front.
    floor = z > -30 + np.clip(-y, -20, 40) * 0.55 - 30 * (y > 5)
    inside = ball((0, 0, 0), tuple(half)) & floor
    foot = (np.hypot(x, y - 35) < 14) & (z < -30)
    inside |= foot
    skull = ball((0, 0, 0), tuple(half + thick)) & ~inside & (z > -70)
    face = ball((0, -35, -55), (55, 55, 50)) & ~inside
    neck = (np.hypot(x, y - 25) < 50) & (z < -40)
    hu = np.full(x.shape, -1000, np.float32)
    hu[neck] = 50
    hu[(np.hypot(x, y - 35) < 24) & (z < -40)] = 500
    hu[ball((0, 0, 0), tuple(half + 12)) & (z > -70)] = 20
    hu[face] = 45
    hu[ball((0, -45, -40), (14, 40, 24))] = -900
    hu[skull] = bone
    brain = 34 + chance.normal(0, 0.7)
    hu[inside] = brain
    grey = inside & ~ball((0, 0, 0), tuple(half - 6))
    hu[grey] = brain + 5
    wide = chance.uniform(0.85, 1.15)
    for side in (-1, 1):
        hu[ball((side * 12, -5, 8), (6 * wide, 28, 10)) & inside] = 8
    hu[inside & (np.abs(x) < 1.2) & (z > 5)] = 45
    hu[inside & (np.abs(x) < 5) & (y > half[1] - 8) & (z > 0)] = 55
    return hu, inside


def write_heads(folder: Path, head: Head, clots: Sequence[Clot], references: int = 3) -> Path:
    """Writes a head with clots and normal ones as NIfTI, one folder each: ``query``, ``reference-1``..."""
    for number in range(references + 1):
        own = replace(head, seed=number or 9, turn=3 * number, clots=() if number else clots)
        scan, _, _ = draw(own)
        place = folder / ("query" if number == 0 else f"reference-{number}")
        place.mkdir(parents=True)
        nib.save(nib.Nifti1Image(np.asarray(scan.voxels).T, nifti_affine(scan.affine)), place / "scan.nii.gz")
    return folder
