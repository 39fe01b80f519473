"""Scans a synthetic head: the average head, deformed into one subject, with or without a lesion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.progress import CancelToken
from napari_d24fad.sample.fields import Array, smooth_field
from napari_d24fad.sample.head import Head
from napari_d24fad.sample.subject import Subject, Triple

Pixels = npt.NDArray[np.uint16]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lesion:
    """A mass within the brain.

    Attributes:
        centre_mm: Its centre in the patient, LPS.
        radius_mm: Its mean radius.
        push_mm: How far it displaces the tissue at its border.
    """

    centre_mm: Triple
    radius_mm: float
    push_mm: float


def scan_head(
    head: Head, subject: Subject, lesion: Lesion | None = None, *, cancel: CancelToken | None = None
) -> tuple[Pixels, Mask]:
    """Scans one head.

    Args:
        head: The average that the subject is a variation of.
        subject: Whose head, and how it is scanned.
        lesion: A mass to put into it. Without it, the same scan of the healthy subject results.
        cancel: Stops the work.

    Returns:
        The slices and, on the same grid ``(slices, rows, columns)``, where the lesion is: its
        core and rim, without the oedema around it.

    Raises:
        Cancelled: If ``cancel`` asked for it.
    """
    cancel = cancel or CancelToken()
    rng = np.random.default_rng((*subject.seed, 1))
    points = _positions(subject)
    depth = np.full(subject.shape, np.inf, dtype=np.float32)
    source = points
    if lesion is not None:
        depth = _lesion_depth(lesion, subject, points)
        source = points - mass_effect(lesion, points)
    cancel.check()
    index = _in_template(subject, source, head.affine, rng)
    cancel.check()
    image = ndimage.map_coordinates(head.brightness, index, order=1)
    cancel.check()
    if lesion is not None:
        white = ndimage.map_coordinates(head.white_matter, index, order=1)
        image = _with_lesion(image, white, depth, subject)
    return _acquire(image, subject, rng), depth < 1


def mass_effect(lesion: Lesion, points: Array) -> Array:
    """Returns how far tissue was pushed away from a lesion: most at its border, then ever less.

    Args:
        lesion: What pushes.
        points: LPS mm, ``(3, slices, rows, columns)``.

    Returns:
        Displacement in mm, shaped as ``points``.
    """
    offset = points - np.array(lesion.centre_mm, dtype=np.float32)[:, None, None, None]
    distance = np.sqrt(np.sum(offset**2, axis=0))
    inside = distance / lesion.radius_mm
    outside = np.exp((lesion.radius_mm - distance) / 14.0)
    push = lesion.push_mm * np.minimum(inside, outside)
    return np.asarray(offset / np.maximum(distance, 1e-3) * push, dtype=np.float32)


def _positions(subject: Subject) -> Array:
    """Returns the LPS mm of every voxel, ``(3, slices, rows, columns)``."""
    z, y, x = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in subject.shape), indexing="ij")
    affine = subject.affine.astype(np.float32)
    return np.stack(
        [affine[0, 2] * x + affine[0, 3], affine[1, 1] * y + affine[1, 3], affine[2, 0] * z + affine[2, 3]]
    )


def _in_template(
    subject: Subject, points: Array, affine: npt.NDArray[np.float64], rng: np.random.Generator
) -> Array:
    """Returns where in the template each voxel's tissue is, as array indices."""
    matrix = (np.linalg.inv(affine) @ subject.to_average).astype(np.float32)
    index = np.tensordot(matrix[:3, :3], points, axes=1) + matrix[:3, 3, None, None, None]
    for axis in range(3):
        large = smooth_field(rng, subject.shape, subject.spacing, knot_mm=50.0)
        small = smooth_field(rng, subject.shape, subject.spacing, knot_mm=14.0)
        index[axis] += subject.warp_mm * (large + 0.4 * small)
    return np.asarray(index, dtype=np.float32)


def _acquire(image: Array, subject: Subject, rng: np.random.Generator) -> Pixels:
    """Returns what the scanner stores: sequence contrast, receive field and Rician noise."""
    field = np.exp(subject.bias * smooth_field(rng, subject.shape, subject.spacing, knot_mm=90.0))
    signal = np.power(np.clip(image, 0, None), subject.gamma) * field
    real, imaginary = rng.standard_normal((2, *subject.shape), dtype=np.float32) * np.float32(subject.noise)
    magnitude = np.hypot(signal + real, imaginary) * subject.gain
    return np.asarray(np.rint(magnitude), dtype=np.uint16)


def _lesion_depth(lesion: Lesion, subject: Subject, points: Array) -> Array:
    """Returns the distance from the lesion's centre in units of its irregular radius."""
    centre = np.array(lesion.centre_mm, dtype=np.float32)[:, None, None, None]
    distance = np.sqrt(np.sum((points - centre) ** 2, axis=0))
    rng = np.random.default_rng((*subject.seed, 2))
    lobes = smooth_field(rng, subject.shape, subject.spacing, knot_mm=9.0)
    edge = smooth_field(rng, subject.shape, subject.spacing, knot_mm=4.5)
    radius = lesion.radius_mm * np.clip(1 + 0.2 * lobes + 0.07 * edge, 0.6, 1.5)
    return np.asarray(distance / radius, dtype=np.float32)


def _with_lesion(image: Array, white: Array, depth: Array, subject: Subject) -> Array:
    """Returns the image with a dark core, an uneven grey rim and oedema that spreads through white matter."""
    rng = np.random.default_rng((*subject.seed, 3))
    coarse, texture, fine = (
        smooth_field(rng, subject.shape, subject.spacing, knot_mm=knot) for knot in (10.0, 5.0, 2.5)
    )
    reach = 1.65 + 0.3 * coarse + 0.15 * texture
    oedema = np.clip((reach - depth) / 0.6, 0, 1) * np.clip(white, 0, 1)
    image = image * (1 - 0.22 * oedema)

    core = np.clip((0.8 + 0.1 * coarse + 0.08 * texture - depth) / 0.2, 0, 1)
    grain = 0.05 * texture + 0.03 * fine
    tissue = (0.68 + grain) * (1 - core) + (0.36 + grain) * core
    share = np.clip((1.06 - depth) / 0.12, 0, 1)
    return np.asarray(image * (1 - share) + tissue * share, dtype=np.float32)
