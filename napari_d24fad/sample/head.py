"""The average T1 head that every subject of the sample study is a variation of.

The brain is the MNI ICBM152 2009a T1 average (Fonov et al., NeuroImage 54, 2011), read from
the file that nilearn ships. It comes without a head, so cerebrospinal fluid, skull, scalp and
orbits are drawn around it as simple shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.head_mr import read_mni152
from napari_d24fad.progress import CancelToken
from napari_d24fad.sample.fields import smooth_field

Array = npt.NDArray[np.float32]

_COARSE = 2  # the head's outline is computed at this fraction of the resolution
_CSF, _MUSCLE = 0.22, 0.45
# Brightness at a distance (mm) outside the cranial cavity: fluid, skull with its marrow, scalp, skin, air.
_LAYERS = (
    (1.5, _CSF),
    (2.5, 0.06),
    (3.5, 0.06),
    (5.0, 0.6),
    (7.0, 0.6),
    (8.5, 0.06),
    (9.5, 0.06),
    (10.5, 1.05),
    (13.5, 1.1),
    (14.5, 0.55),
    (15.5, 0.45),
    (16.5, 0.01),
)


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Average T1 brightness of a head.

    Attributes:
        brightness: Float32, white matter about 1.
        white_matter: Float32 probability of white matter on the same grid.
        affine: ``(4, 4)``, array index to LPS mm; the origin is the anterior commissure.
    """

    brightness: Array = field(repr=False)
    white_matter: Array = field(repr=False)
    affine: npt.NDArray[np.float64] = field(repr=False)


def average_head(cancel: CancelToken | None = None) -> Head:
    """Returns the head; takes about a second.

    Args:
        cancel: Stops the work.

    Raises:
        Cancelled: If ``cancel`` asked for it.
        ModelError: ``TEMPLATE_MISSING``.
    """
    cancel = cancel or CancelToken()
    brain, affine = read_mni152("t1")
    white, _ = read_mni152("wm")
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine  # to LPS
    brightness = _draw_head(brain / np.float32(225), affine, cancel)
    # A slice is thicker than a template voxel: it averages over its profile.
    for volume in (brightness, white):
        cancel.check()
        ndimage.gaussian_filter1d(volume, 1.3, axis=2, output=volume)
    return Head(brightness, white / np.float32(255), affine)


def _draw_head(brain: Array, affine: npt.NDArray[np.float64], cancel: CancelToken) -> Array:
    """Returns the brain with a head around it."""
    inside = brain[(slice(None, None, _COARSE),) * 3] > 0.05
    x, y, z = (
        (affine[axis, axis] * _COARSE * np.arange(n) + affine[axis, 3]).reshape(
            [-1 if a == axis else 1 for a in range(3)]
        )
        for axis, n in enumerate(inside.shape)
    )
    near_brain = np.asarray(ndimage.distance_transform_edt(~inside) * _COARSE, dtype=np.float32)
    outline = _distance_to_cavity(inside, x, y, z)
    spacing = (float(_COARSE),) * 3
    cancel.check()
    texture = smooth_field(np.random.default_rng(1), inside.shape, spacing, knot_mm=9.0)
    thickness = 1 + 0.08 * smooth_field(np.random.default_rng(2), inside.shape, spacing, knot_mm=50.0)

    distances, values = np.array(_LAYERS).T
    # Vault and scalp: brightness by distance outside the cranial cavity.
    head = np.interp(outline / np.clip(thickness, 0.75, 1.3), distances, values).astype(np.float32)
    # Below the vault the gaps hold muscle, fat, the skull base, the nose and the orbits.
    base = (z < -14) & (outline < 3)
    head = np.where(base, _MUSCLE + 0.09 * texture, head)
    head = np.where(base & (near_brain < 9), 0.16 + 0.1 * np.clip(texture, -1, 3), head)
    nose = (np.abs(x) < 13 + 3 * texture) & (y < -14) & (y > -66) & (z < -24)
    head = np.where(base & nose & (near_brain > 4), 0.14 + 0.12 * np.clip(texture, -1, 3), head)
    for side in (-1, 1):
        orbit = ((x - side * 31) / 17) ** 2 + ((y + 50) / 26) ** 2 + ((z + 37) / 16) ** 2
        globe = np.sqrt((x - side * 33) ** 2 + (y + 60) ** 2 + (z + 37) ** 2)
        head = np.where((orbit < 1) & (near_brain > 4), 1.0, head)
        head = np.where((globe < 13) & (near_brain > 4), np.where(globe < 11, 0.25, 0.5), head)
    head = np.where(near_brain < 3, _CSF, head)

    cancel.check()
    fine = ndimage.zoom(head, _COARSE, order=1, grid_mode=True, mode="nearest")
    fine = fine[: brain.shape[0], : brain.shape[1], : brain.shape[2]]
    return np.where(brain > 0.05, brain, fine).astype(np.float32)


def _distance_to_cavity(
    inside: npt.NDArray[np.bool_],
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    z: npt.NDArray[np.float64],
) -> Array:
    """Returns the distance in mm outside the smooth outline of brain and face; 0 inside."""
    reach = 26 / _COARSE
    grown = ndimage.distance_transform_edt(~inside) <= reach
    cavity = ndimage.distance_transform_edt(grown) > reach
    base = int(np.argmin(np.abs(z.ravel() + 30)))
    cavity[:, :, :base] |= cavity[:, :, base : base + 1]
    cavity |= ((x / 58) ** 2 + ((y + 22) / 46) ** 2 < 1) & (z < -18)
    cavity = ndimage.gaussian_filter(cavity.astype(np.float32), 6 / _COARSE) > 0.5
    distance = ndimage.distance_transform_edt(~cavity) * _COARSE
    return np.asarray(ndimage.gaussian_filter(distance, 1.0), dtype=np.float32)
