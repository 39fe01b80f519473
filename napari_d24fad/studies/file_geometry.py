"""Where the voxels of a file that stores volumes lie: what NIfTI, NRRD and the like have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.files.limits import LONGEST, SHORTEST
from napari_d24fad.studies.scan import Affine, Problem

_CLEARLY_LARGER = 1.2
# Angles between axes in degrees: below the first they are rounding errors, and beyond the
# second a picture drawn with right angles is another one.
_SQUARE, _MOST_SHEARED = 0.1, 5.0


@dataclass(frozen=True, slots=True, eq=False)
class FileGeometry:
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


def placed(stored: Affine, plain: Affine, problems: tuple[Problem, ...] = ()) -> FileGeometry:
    """Returns the geometry of voxels whose place in the patient the file states.

    Args:
        stored: ``(4, 4)``, from (column, row, slice) as stored to LPS mm.
        plain: The affine to show a refused volume with.
        problems: What was found before.

    Returns:
        Refused if the axes are no axes, or far from right angles; with ``SHEARED`` if they are nearly.
    """
    if not _invertible(stored):
        return FileGeometry(
            plain, refusal=StudyError(Code.AMBIGUOUS_GEOMETRY, "Its affine is not invertible.")
        )
    angle = shear(stored)
    if angle > _MOST_SHEARED:
        text = f"Its axes are {angle:.1f} degrees off right angles."
        return FileGeometry(plain, refusal=StudyError(Code.AMBIGUOUS_GEOMETRY, text))
    if angle > _SQUARE:
        problems += (Problem(Code.SHEARED, f"They are up to {angle:.1f} degrees off."),)
    return FileGeometry(stored[:, [2, 1, 0, 3]], True, True, problems)


def unplaced(plain: Affine, in_mm: Affine | None) -> FileGeometry:
    """Returns the geometry of voxels of which the file does not tell where they lie.

    Args:
        plain: ``(4, 4)``, the shape of a voxel.
        in_mm: ``(4, 4)``, the lengths of a voxel; None if they are not known either.
    """
    if in_mm is None:
        return FileGeometry(plain, problems=(position_problem("It is shown as a plain image."),))
    told = position_problem("Its lengths are known, its sides are not.")
    return FileGeometry(in_mm, True, problems=(told,))


def position_problem(detail: str) -> Problem:
    """Returns what the user must know of a place that is not, or not well, stated."""
    return Problem(Code.AMBIGUOUS_GEOMETRY, detail)


def shear(stored: npt.NDArray[np.float64]) -> float:
    """Returns the largest deviation of two axes of an affine from a right angle, in degrees."""
    cosines = stored[:3, :3] / np.linalg.norm(stored[:3, :3], axis=0)
    return float(np.degrees(np.arcsin(np.abs(cosines.T @ cosines - np.eye(3)).max())))


def _invertible(stored: npt.NDArray[np.float64]) -> bool:
    """Whether an affine gives voxels a size, and a place of their own."""
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(stored[:3, :3], axis=0)
        possible = np.isfinite(stored).all() and ((lengths > SHORTEST) & (lengths < LONGEST)).all()
        return bool(possible and abs(np.linalg.det(stored[:3, :3])) > 1e-6 * np.prod(lengths))


def slice_axis(grid: tuple[int, ...], geometry: FileGeometry) -> int:
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
