"""Volumes as large as a CT of the trunk, made up: what is in them does not matter, how much does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from napari_d24fad.atomic import atomic_file

MATRIX = 512
_PIXEL_MM, _SLICE_MM = 0.8, 1.0
_AIR, _TISSUE, _NOISE = -1000, 40, 15
_HEAD_MM, _BONE, _BRAIN, _FLUID, _FINE_NOISE = 240.0, 900, 34, 8, 3


def trunk(seed: int, slices: int, matrix: int = MATRIX) -> Iterator[npt.NDArray[np.int16]]:
    """Yields the slices of a body with eight organs, in HU, ``(matrix, matrix)`` int16 each."""
    random = np.random.default_rng(seed)
    y, x = np.meshgrid(*[np.linspace(-1, 1, matrix, dtype=np.float32)] * 2, indexing="ij", sparse=True)
    wide, high = 0.8 + 0.02 * random.standard_normal(), 0.6 + 0.02 * random.standard_normal()
    angles = np.arange(8)
    centres = 0.03 * random.standard_normal((8, 2)) + np.stack(
        [0.4 * np.cos(angles), 0.3 * np.sin(angles)], 1
    )
    for z in np.linspace(0, 1, slices):
        body = (x / wide) ** 2 + (y / high) ** 2 < 1
        plane = np.where(body, np.int16(_TISSUE), np.int16(_AIR))
        for organ, (right, down) in enumerate(centres):
            reach = 1 - ((z - 0.1 * organ - 0.1) / 0.3) ** 2
            inside = ((x - right) / 0.15) ** 2 + ((y - down) / 0.12) ** 2 < reach
            plane[inside & body] = int(160 * np.sin(organ))
        yield plane + (_NOISE * random.standard_normal(plane.shape)).astype(np.int16)


def head(seed: int, slices: int, matrix: int = MATRIX) -> Iterator[npt.NDArray[np.int16]]:
    """Yields the slices of a head from its base to its vertex, in HU, ``(matrix, matrix)`` int16 each."""
    random = np.random.default_rng(seed)
    half = _HEAD_MM / 2
    y, x = np.meshgrid(*[np.linspace(-half, half, matrix, dtype=np.float32)] * 2, indexing="ij", sparse=True)
    wide, high, long = np.array([68.0, 66.0, 84.0]) * random.uniform(0.95, 1.05, 3)
    for z in np.linspace(-high - 4, high + 4, slices):
        across = (x / wide) ** 2 + (y / long) ** 2 + (z / high) ** 2
        skull = (x / (wide + 7)) ** 2 + (y / (long + 7)) ** 2 + (z / (high + 7)) ** 2 < 1
        fluid = ((np.abs(x) - 12) / 9) ** 2 + (y / 32) ** 2 + ((z - 5) / 18) ** 2 < 1
        plane = np.where(skull, np.int16(_BONE), np.int16(_AIR))
        plane[across < 1] = _BRAIN
        plane[fluid] = _FLUID
        yield plane + (_FINE_NOISE * random.standard_normal(plane.shape)).astype(np.int16)


def write_head(path: Path, seed: int, slices: int, matrix: int = MATRIX) -> None:
    """Writes a head, uncompressed.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    _write(path, np.stack(list(head(seed, slices, matrix))), _HEAD_MM / matrix, 140.0 / slices)


def write_nifti(path: Path, seed: int, slices: int, matrix: int = MATRIX) -> None:
    """Writes a volume, uncompressed.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    voxels = np.stack(list(trunk(seed, slices, matrix)))
    _write(path, voxels, _PIXEL_MM * MATRIX / matrix, _SLICE_MM)


def _write(path: Path, voxels: npt.NDArray[np.int16], pixel: float, step: float) -> None:
    affine = np.diag([-pixel, -pixel, step, 1.0])
    image = nibabel.Nifti1Image(voxels.T, affine)
    image.header.set_xyzt_units("mm")
    with atomic_file(path) as temporary:
        nibabel.save(image, temporary)


def write_dicom(folder: Path, seed: int, slices: int, matrix: int = MATRIX) -> None:
    """Writes a volume as a series of single-frame CT files.

    Raises:
        OSError: The folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    study, series, frame = (generate_uid() for _ in range(3))
    for index, plane in enumerate(trunk(seed, slices, matrix)):
        file = Dataset()
        file.file_meta = FileMetaDataset()
        file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = CTImageStorage
        file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = generate_uid()
        file.StudyInstanceUID, file.SeriesInstanceUID, file.FrameOfReferenceUID = study, series, frame
        file.Modality, file.PatientID, file.InstanceNumber = "CT", "phantom", index + 1
        file.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        file.ImagePositionPatient = [0, 0, index * _SLICE_MM]
        file.PixelSpacing, file.SliceThickness = [_PIXEL_MM, _PIXEL_MM], _SLICE_MM
        file.Rows = file.Columns = matrix
        file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
        file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
        file.RescaleSlope, file.RescaleIntercept, file.RescaleType = 1, 0, "HU"
        file.PixelData = plane.tobytes()
        file.save_as(folder / f"{index:04}.dcm", enforce_file_format=True)
