"""Where the voxels of a NIfTI file lie in the patient, or why nobody can know."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.file_geometry import FileGeometry, placed, position_problem, shear, unplaced
from napari_d24fad.studies.files.limits import LONGEST, SHORTEST
from napari_d24fad.studies.series import pixel_affine

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_TO_MM = {1: 1000.0, 2: 1.0, 3: 0.001}  # by the code of xyzt_units: metres, millimetres, micrometres
_SPATIAL_UNITS = 0b111
# Two positions of a voxel agree if they are less than half a voxel apart.
_AGREE = 0.5


def geometry_of(image: Any) -> FileGeometry:
    """Interprets the header of an image, of whichever format it is.

    Args:
        image: The image, by nibabel: NIfTI, Analyze or FreeSurfer.
    """
    if "xyzt_units" in image.header:
        return nifti_geometry(image)
    if "Mdc" in image.header:
        return _freesurfer_geometry(image)
    return _analyze_geometry(image)


def nifti_geometry(image: Any) -> FileGeometry:
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
    in_mm = None
    if scale is not None and lengths == zooms and _states_lengths(image):
        in_mm = np.diag([scale * lengths[2], scale * lengths[1], scale * lengths[0], 1.0])
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    if qform_code > 0 and not _states_lengths(image):
        qform_code = 0
    if sform_code <= 0 and qform_code <= 0:
        return unplaced(plain, in_mm)
    scale = scale or 1.0
    ras = np.diag([scale, scale, scale, 1.0]) @ np.array(image.affine, dtype=np.float64)
    found = placed(_RAS_TO_LPS @ ras, plain)
    if found.refusal is not None or sform_code <= 0 or qform_code <= 0 or not _disagree(image, shear(ras)):
        return found
    if sform_code == qform_code:
        refusal = StudyError(Code.AMBIGUOUS_GEOMETRY, "Its sform and qform contradict each other.")
        return FileGeometry(plain, refusal=refusal)
    return placed(
        _RAS_TO_LPS @ ras, plain, (position_problem("Of its two positions that of the sform is used."),)
    )


def _freesurfer_geometry(image: Any) -> FileGeometry:
    """Where the header says that its directions hold (goodRASFlag), they are those of the patient."""
    if int(image.header["goodRASFlag"]) != 1:
        return unplaced(pixel_affine((1.0, 1.0, 1.0)), None)  # nor do lengths hold then
    return placed(_RAS_TO_LPS @ np.array(image.affine, dtype=np.float64), pixel_affine((1.0, 1.0, 1.0)))


def _analyze_geometry(image: Any) -> FileGeometry:
    """Lengths are millimetres by convention; nothing tells the sides, and programs differ in them."""
    stated = [abs(float(length)) for length in image.header["pixdim"][1:4]]
    return _lengths_only(stated[: len(image.shape)] + [1.0] * (3 - min(3, len(image.shape))))


def _lengths_only(lengths: list[float]) -> FileGeometry:
    reversed_lengths = lengths[::-1]
    if not all(SHORTEST < length < LONGEST for length in lengths):
        return unplaced(pixel_affine((1.0, 1.0, 1.0)), None)
    return unplaced(np.eye(4), np.diag([*reversed_lengths, 1.0]))


def _states_lengths(image: Any) -> bool:
    """Whether the file gives its voxels a size, which a qform needs: nibabel makes 1 mm of 0."""
    with image.file_map["header"].get_prepare_fileobj("rb") as file:
        header = type(image.header).from_fileobj(file, check=False)
    return bool(np.all(header["pixdim"][1 : 1 + min(3, len(image.shape))] != 0))


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
