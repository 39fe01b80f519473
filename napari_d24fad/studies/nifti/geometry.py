"""Where the voxels of a NIfTI file lie in the patient, or why nobody can know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.files.limits import LONGEST, SHORTEST
from napari_d24fad.studies.scan import Affine, Problem
from napari_d24fad.studies.series import pixel_affine

_CLEARLY_LARGER = 1.2
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_TO_MM = {1: 1000.0, 2: 1.0, 3: 0.001}  # by the code of xyzt_units: metres, millimetres, micrometres
_SPATIAL_UNITS = 0b111
# Two positions of a voxel agree if they are less than half a voxel apart.
_AGREE = 0.5
# Angles between axes in degrees: below the first they are rounding errors, and beyond the
# second a picture drawn with right angles is another one.
_SQUARE, _MOST_SHEARED = 0.1, 5.0


@dataclass(frozen=True, slots=True, eq=False)
class NiftiGeometry:
    """Where voxels lie.

    Attributes:
        affine: ``(4, 4)``, from the stored axes reversed, (slice, row, column), to LPS mm; the
            lengths or the shape of a voxel only if it is not known where it lies.
        in_mm: Whether lengths are known.
        in_patient: Whether the affine is in millimetres of a patient.
        problems: What the user must know.
        refusal: Why the volume cannot be shown.
    """

    affine: Affine = field(repr=False)
    in_mm: bool = False
    in_patient: bool = False
    problems: tuple[Problem, ...] = ()
    refusal: StudyError | None = None


def nifti_geometry(image: Any) -> NiftiGeometry:
    """Interprets the header of a NIfTI image.

    The sform is used where there is one, else the qform (method 3 and 2 of the standard). Where
    both are there and state the same space (by their code), they have to agree. Where there is
    neither, the lengths of a voxel count if the file states their unit (method 1), but no side does.

    Args:
        image: The image, by nibabel.
    """
    header = image.header
    zooms = [float(zoom) for zoom in header.get_zooms()[:3]] + [1.0] * (3 - min(3, len(image.shape)))
    lengths = [zoom if SHORTEST < zoom < LONGEST else 1.0 for zoom in zooms]
    plain = pixel_affine((lengths[2], lengths[1], lengths[0]))
    scale = _TO_MM.get(int(header["xyzt_units"]) & _SPATIAL_UNITS)
    unplaced = NiftiGeometry(plain, problems=(_problem("It is shown as a plain image."),))
    if scale is not None and lengths == zooms and _states_lengths(image):
        in_mm = np.diag([scale * lengths[2], scale * lengths[1], scale * lengths[0], 1.0])
        unplaced = NiftiGeometry(
            in_mm, True, problems=(_problem("Its lengths are known, its sides are not."),)
        )
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    if sform_code <= 0 and qform_code <= 0:
        return unplaced
    if qform_code > 0 and not _states_lengths(image):
        qform_code = 0
        if sform_code <= 0:
            return unplaced
    scale = scale or 1.0
    ras = np.diag([scale, scale, scale, 1.0]) @ np.array(image.affine, dtype=np.float64)
    if not _invertible(ras):
        return NiftiGeometry(
            plain, refusal=StudyError(Code.AMBIGUOUS_GEOMETRY, "Its affine is not invertible.")
        )
    problems: tuple[Problem, ...] = ()
    angle = _shear(ras)
    if angle > _MOST_SHEARED:
        text = f"Its axes are {angle:.1f} degrees off right angles."
        return NiftiGeometry(plain, refusal=StudyError(Code.AMBIGUOUS_GEOMETRY, text))
    if sform_code > 0 and qform_code > 0 and _disagree(image, angle):
        if sform_code == qform_code:
            return NiftiGeometry(
                plain,
                refusal=StudyError(Code.AMBIGUOUS_GEOMETRY, "Its sform and qform contradict each other."),
            )
        problems += (_problem("Of its two positions that of the sform is used."),)
    if angle > _SQUARE:
        problems += (Problem(Code.SHEARED, f"They are up to {angle:.1f} degrees off."),)
    return NiftiGeometry((_RAS_TO_LPS @ ras)[:, [2, 1, 0, 3]], True, True, problems)


def _problem(detail: str) -> Problem:
    return Problem(Code.AMBIGUOUS_GEOMETRY, detail)


def _invertible(ras: npt.NDArray[np.float64]) -> bool:
    """Whether an affine gives voxels a size, and a place of their own."""
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(ras[:3, :3], axis=0)
        possible = np.isfinite(ras).all() and ((lengths > SHORTEST) & (lengths < LONGEST)).all()
        return bool(possible and abs(np.linalg.det(ras[:3, :3])) > 1e-6 * np.prod(lengths))


def _states_lengths(image: Any) -> bool:
    """Whether the file gives its voxels a size, which a qform needs: nibabel makes 1 mm of 0."""
    with image.file_map["image"].get_prepare_fileobj("rb") as file:
        header = type(image.header).from_fileobj(file, check=False)
    return bool(np.all(header["pixdim"][1 : 1 + min(3, len(image.shape))] != 0))


def _shear(ras: npt.NDArray[np.float64]) -> float:
    """Returns the largest deviation of two axes from a right angle, in degrees."""
    cosines = ras[:3, :3] / np.linalg.norm(ras[:3, :3], axis=0)
    return float(np.degrees(np.arcsin(np.abs(cosines.T @ cosines - np.eye(3)).max())))


def _disagree(image: Any, angle: float) -> bool:
    """Whether qform and sform put a corner of the volume more than half a voxel apart.

    A qform cannot hold a shear, so that much of a difference is allowed.
    """
    sform = np.array(image.header.get_sform(), dtype=np.float64)
    qform = np.array(image.header.get_qform(), dtype=np.float64)
    ends = np.array([*image.shape[:3], *(1,) * (3 - len(image.shape[:3]))]) - 1
    corners = np.append(np.indices((2, 2, 2)).reshape(3, -1) * ends[:, np.newaxis], np.ones((1, 8)), axis=0)
    apart = np.linalg.norm(((sform - qform) @ corners)[:3], axis=0)
    extent = np.linalg.norm(sform[:3, :3] @ ends)
    allowed = _AGREE * np.linalg.norm(sform[:3, :3], axis=0).min() + extent * np.sin(np.radians(angle))
    return bool(not np.isfinite(apart).all() or apart.max() > allowed)


def slice_axis(grid: tuple[int, ...], geometry: NiftiGeometry) -> int:
    """Returns the axis the slices are stacked along, which NIfTI files do not state.

    It is a lone axis of length 1, else the one with clearly the largest spacing, else the
    one nearest to the body axis (axial slices).

    Args:
        grid: ``(slices, rows, columns)``.
        geometry: Of the same volume.
    """
    single = [axis for axis in range(3) if grid[axis] == 1]
    if len(single) == 1:
        return single[0]
    spacing = np.linalg.norm(geometry.affine[:3, :3], axis=0)
    widest = int(spacing.argmax())
    if spacing[widest] > _CLEARLY_LARGER * np.delete(spacing, widest).max():
        return widest
    if not geometry.in_patient:
        return 0
    return int(np.abs(geometry.affine[2, :3] / spacing).argmax())
