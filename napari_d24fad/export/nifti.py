"""Writes an anomaly map as NIfTI, on the voxel grid of the scan that was examined."""

from __future__ import annotations

import gzip
import os
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

from napari_d24fad.atomic import atomic_file
from napari_d24fad.detection.result import AnomalyMap, MapChannel
from napari_d24fad.export.notice import DESCRIPTION

_SCANNER, _UNKNOWN = 1, 0
_QFORM_TOLERANCE_MM = 1e-3
_NAME_BYTES, _DESCRIPTION_BYTES = 15, 79  # what NIfTI allows


def save_nifti(
    anomaly: AnomalyMap,
    path: str | os.PathLike[str],
    *,
    has_geometry: bool = True,
    sides_known: bool = True,
    channel: MapChannel | None = None,
) -> None:
    """Writes the map as float32 NIfTI-1, with NaN where nothing was examined.

    Our arrays are indexed ``(slice, row, column)`` in LPS; NIfTI is indexed the other way
    round in RAS. Going back only exchanges axes and signs, so a map of a scan that was
    read from NIfTI has that file's affine to the bit (NIfTI keeps single precision).

    Args:
        anomaly: The map.
        path: Name ending in ``.nii.gz``, or in ``.nii`` for no compression.
        has_geometry: Whether the affine is in millimetres; if not, the file gives no unit.
        sides_known: Whether its axes are those of the patient. If not, the file has the size of
            a voxel alone (method 1 of the standard): both codes are 0, orientation unknown.
        channel: Which part of a map the values are; None for the whole. The file says so as its intent
            name and in its description.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    image = _to_nifti(anomaly, has_geometry, has_geometry and sides_known)
    if channel is not None:
        image.header.set_intent("estimate", name=channel.name[:_NAME_BYTES])
        text = f"D2-4FAD, {channel.title}; research use only"
        image.header["descrip"] = text.encode()[:_DESCRIPTION_BYTES]
    with atomic_file(path) as staged, staged.open("wb") as file:
        if staged.suffix != ".gz":
            image.to_stream(file)
            return
        # No file name and no time in the gzip header: equal maps make equal files.
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=4, mtime=0) as packed:
            image.to_stream(packed)


def nifti_affine(affine: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns the NIfTI affine, ``(i, j, k)`` to RAS mm, of an array's ``(k, j, i)`` to LPS mm."""
    ras = affine[:, [2, 1, 0, 3]].copy()
    ras[:2] *= -1
    return ras + 0.0  # turns -0.0 into 0.0


def _to_nifti(anomaly: AnomalyMap, has_geometry: bool, in_patient: bool) -> Any:
    affine = nifti_affine(anomaly.affine)
    image = nib.Nifti1Image(np.asarray(anomaly.values, dtype=np.float32).T, affine if in_patient else None)
    header = image.header
    header.set_xyzt_units(xyz="mm" if has_geometry else "unknown")
    header.set_intent("estimate", name="anomaly")
    header["descrip"] = DESCRIPTION.encode()
    if not in_patient:
        header.set_zooms(np.linalg.norm(affine[:3, :3], axis=0))
        return image
    image.set_sform(affine, code=_SCANNER)
    image.set_qform(affine, code=_SCANNER)
    if not np.allclose(header.get_qform(), affine, rtol=0, atol=_QFORM_TOLERANCE_MM):
        # A quaternion cannot express shear; better no qform than one that contradicts.
        image.set_qform(None, code=_UNKNOWN)
    return image
