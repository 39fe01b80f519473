"""Stiff deformation after affine alignment, and how much it grows or shrinks each place.

Diffeomorphic-like demons with symmetric forces (Vercauteren et al., NeuroImage 45, 2009; SimpleITK's
FastSymmetricForcesDemons), its field smoothed so much that sulci and ventricles are matched but a lesion
is not registered away. The logarithm of its Jacobian determinant is a map of its own: "larger or smaller
than usual".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.itk import demons
from napari_d24fad.anatomy.volume import Grey, Mask, Volume, resample
from napari_d24fad.progress import CancelToken

_SPACING = 3.0
_STEPS = (40, 30)
_FIELD_SIGMA = 2.0  # voxels
# Further than this, or folded, the field has diverged.
_FURTHEST = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class Deformation:
    """How an aligned scan is moved further onto a template.

    Attributes:
        moves: ``(slices, rows, columns, 3)`` float32: for each point of the template's space, the shift
            in mm (x, y, z) to where its anatomy lies in the aligned scan.
        affine: ``(4, 4)`` of the field's grid, to mm of the template's space.
        diverged: Whether the field folds or leads too far; it is then all zero.
    """

    moves: npt.NDArray[np.float32] = field(repr=False)
    affine: npt.NDArray[np.float64] = field(repr=False)
    diverged: bool = False

    def shifts(self, onto: Volume) -> npt.NDArray[np.float32]:
        """The shifts at the voxels of another grid of the same space, ``(3, ...)`` mm."""
        shape = onto.values.shape
        parts: list[Grey] = [
            resample(self.moves[..., k], self.affine, shape, onto.affine, outside=0.0) for k in range(3)
        ]
        return np.stack(parts)

    def log_jacobian(self) -> Grey:
        """Logarithm of local volume in the scan over that in the template, on the field's grid.

        Above 0 where the scan's anatomy is larger than the template's.
        """
        spacing = np.linalg.norm(self.affine[:3, :3], axis=0)
        directions = self.affine[:3, :3] / spacing
        gradient = np.empty((*self.moves.shape, 3), np.float32)
        for k in range(3):
            for axis, step in enumerate(spacing):
                gradient[..., k, axis] = np.gradient(self.moves[..., k], float(step), axis=axis)
        # Derivatives along array axes become those along x, y, z.
        jacobian = np.eye(3) + gradient @ directions.T
        change: Grey = np.log(np.maximum(np.linalg.det(jacobian), 0.05)).astype(np.float32)
        return change


def deform(
    template: Volume, aligned: Volume, compared: Mask, cancel: CancelToken | None = None
) -> Deformation:
    """Finds the stiff deformation from a template to an aligned scan.

    Args:
        template: In its space.
        aligned: The scan, resampled to the template's grid; values must compare (see `intensity`).
            NaN where it has none.
        compared: The template's shape: what drives the deformation.
        cancel: Asked between levels.
    """
    fixed, moving = (_coarse(volume, compared) for volume in (template, aligned))
    found = demons(fixed, moving, _STEPS, _FIELD_SIGMA, cancel or CancelToken())
    result = Deformation(found, fixed.affine)
    lowest = np.exp(result.log_jacobian().min())
    if not np.isfinite(found).all() or np.abs(found).max() > _FURTHEST or lowest < 0.1:
        return Deformation(np.zeros_like(found), fixed.affine, True)
    return result


def _coarse(volume: Volume, compared: Mask) -> Volume:
    values = np.where(compared, np.nan_to_num(volume.values), 0).astype(np.float32)
    steps = np.maximum(1.0, _SPACING / volume.spacing)
    shape = tuple(int(n) for n in np.ceil(np.array(values.shape) / steps))
    affine = volume.affine @ np.diag([*steps, 1.0])
    return Volume(resample(values, volume.affine, shape, affine, outside=0.0), affine)


def warped(
    scan: Volume, onto: Volume, move: npt.NDArray[np.float64], deformation: Deformation | None
) -> Grey:
    """Reads a scan at the voxels of a grid of the template's space, through affine and deformation.

    Args:
        scan: In patient space; NaN where nothing was measured.
        onto: The grid.
        move: ``(4, 4)`` from template mm to LPS mm of the scan.
        deformation: None where there is only the affine.

    Returns:
        ``onto.values.shape`` float32; NaN beside the scan.
    """
    shape = onto.values.shape
    if deformation is None:
        return resample(scan.values, scan.affine, shape, onto.affine, move)
    aligned = resample(scan.values, scan.affine, shape, onto.affine, move)
    # A second reading of a grid as fine as the scan is cheaper than one of the scan and as good.
    back = np.linalg.inv(onto.affine)[:3, :3]
    steps = np.einsum("ij,j...->i...", back, deformation.shifts(onto))
    places = np.indices(shape, np.float32) + steps
    seen = np.isfinite(aligned)
    result: Grey = ndimage.map_coordinates(np.nan_to_num(aligned), places, order=1, mode="nearest")
    if not seen.all():
        beside = ndimage.map_coordinates(seen.astype(np.float32), places, order=1, mode="nearest") < 0.5
        result[beside] = np.nan
    return result
