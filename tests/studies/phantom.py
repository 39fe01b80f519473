"""Builders of world-linear phantoms: every voxel holds 2x + 3y + 5z of its place in LPS mm.

Whatever the file format, orientation or order of the slices, a reader that places voxels
correctly returns the value that the affine predicts, and any other reader does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

from napari_d24fad.studies.scan import Scan

AXIAL = (1, 0, 0, 0, 1, 0)
CORONAL = (1, 0, 0, 0, 0, -1)
SAGITTAL = (0, 1, 0, 0, 0, -1)
REVERSED_AXIAL = (-1, 0, 0, 0, -1, 0)
OBLIQUE = (0.8, 0.36, 0.48, -0.6, 0.48, 0.64)

GRID = (5, 6, 7)
SPACING = (4.0, 1.5, 0.75)
ORIGIN = (-31.5, 22.25, -140.0)


def world_value(position: np.ndarray) -> np.ndarray:
    """The phantom's value at LPS positions ``(3, ...)``."""
    return np.tensordot([2.0, 3.0, 5.0], position, 1)


def phantom_affine(
    orientation: Sequence[float],
    spacing: Sequence[float] = SPACING,
    origin: Sequence[float] = ORIGIN,
) -> np.ndarray:
    """(slice, row, column) to LPS mm, slices along the normal of the stated orientation."""
    along_row, along_column = np.array(orientation[:3], float), np.array(orientation[3:], float)
    normal = np.cross(along_row, along_column)
    affine = np.eye(4)
    affine[:3, :3] = np.stack([normal, along_column, along_row], axis=1) * np.array(spacing)
    affine[:3, 3] = origin
    return affine


def values_on(affine: np.ndarray, grid: Sequence[int] = GRID) -> np.ndarray:
    """The phantom on a voxel grid."""
    index = np.indices(grid).reshape(3, -1)
    return world_value(affine[:3, :3] @ index + affine[:3, 3:]).reshape(grid)


def assert_world_linear(scan: Scan, tolerance: float = 1.0) -> None:
    """Every voxel holds what its position in the patient predicts."""
    assert scan.has_geometry
    expected = values_on(np.asarray(scan.affine), scan.grid)
    assert np.abs(np.asarray(scan.voxels, float) - expected).max() < tolerance


def image_dataset(
    pixels: np.ndarray,
    *,
    sop_class: str = MRImageStorage,
    modality: str = "MR",
    photometric: str | None = None,
    series_uid: str | None = None,
) -> Dataset:
    """A minimal image instance of ``(rows, columns[, 3])`` integers, without geometry."""
    colour = pixels.ndim == 3
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = UID(sop_class)
    dataset.SOPInstanceUID = generate_uid()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.StudyInstanceUID = "2.25.1001"
    dataset.SeriesInstanceUID = series_uid or "2.25.1002"
    dataset.PatientID = "phantom"
    dataset.PatientName = "Phantom"
    dataset.Modality = modality
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = 1
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if colour else 1
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric or ("RGB" if colour else "MONOCHROME2")
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = np.ascontiguousarray(pixels).tobytes()
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    """Writes a dataset as a DICOM file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def slice_datasets(
    orientation: Sequence[float] = AXIAL,
    *,
    grid: tuple[int, int, int] = GRID,
    spacing: Sequence[float] = SPACING,
    origin: Sequence[float] = ORIGIN,
    rescale: bool = False,
    modality: str = "MR",
    series_uid: str | None = None,
) -> list[Dataset]:
    """One dataset per slice, in slice order.

    ``rescale`` gives each slice another Rescale Slope and Intercept, fine enough that
    rounding to the stored integers stays below 0.5.
    """
    affine = phantom_affine(orientation, spacing, origin)
    values = values_on(affine, grid)
    frame_of_reference = "2.25.1003"
    series_uid = series_uid or generate_uid()
    datasets = []
    for index, plane in enumerate(values):
        slope, intercept = (0.25 + index / 16, 10.0 * index - 100) if rescale else (1.0, 0.0)
        stored = np.round((plane - intercept) / slope)
        assert np.abs(stored).max() < 2**15
        dataset = image_dataset(
            stored.astype(np.int16),
            sop_class=CTImageStorage if modality == "CT" else MRImageStorage,
            modality=modality,
            series_uid=series_uid,
        )
        if rescale or modality == "CT":
            dataset.RescaleSlope, dataset.RescaleIntercept = str(slope), str(intercept)
            dataset.RescaleType = "US"
        dataset.InstanceNumber = index + 1
        dataset.FrameOfReferenceUID = frame_of_reference
        dataset.ImageOrientationPatient = [f"{cosine:.10g}" for cosine in orientation]
        dataset.ImagePositionPatient = [f"{mm:.10g}" for mm in affine[:3] @ (index, 0, 0, 1)]
        dataset.PixelSpacing = [str(spacing[1]), str(spacing[2])]
        dataset.SliceThickness = str(spacing[0])
        datasets.append(dataset)
    return datasets


def write_series(
    folder: Path,
    datasets: Sequence[Dataset],
    *,
    order: str = "forward",
    name: Callable[[int], str] = "slice{:03d}.dcm".format,
) -> list[Path]:
    """Writes slices so that the order of files is forward, reversed or shuffled."""
    rank = list(range(len(datasets)))
    if order == "reversed":
        rank.reverse()
    elif order == "shuffled":
        np.random.default_rng(7).shuffle(rank)
    return [save(datasets[index], folder / name(place)) for place, index in enumerate(rank)]


def enhanced_dataset(
    orientation: Sequence[float] = AXIAL,
    *,
    grid: tuple[int, int, int] = GRID,
    spacing: Sequence[float] = SPACING,
    frame_order: Sequence[int] | None = None,
) -> Dataset:
    """One Enhanced MR instance with the slices as frames, in any order, rescaled per frame."""
    slices = slice_datasets(orientation, grid=grid, spacing=spacing, rescale=True)
    frames = [slices[index] for index in (frame_order if frame_order is not None else range(grid[0]))]
    enhanced = image_dataset(np.zeros(grid[1:], np.int16), sop_class=EnhancedMRImageStorage)
    enhanced.FrameOfReferenceUID = frames[0].FrameOfReferenceUID
    enhanced.SeriesInstanceUID = frames[0].SeriesInstanceUID
    enhanced.NumberOfFrames = len(frames)
    enhanced.PixelData = b"".join(frame.PixelData for frame in frames)
    shared, plane, measures = Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient = frames[0].ImageOrientationPatient
    measures.PixelSpacing = frames[0].PixelSpacing
    measures.SliceThickness = frames[0].SliceThickness
    shared.PlaneOrientationSequence = [plane]
    shared.PixelMeasuresSequence = [measures]
    enhanced.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for frame in frames:
        group, position, content, transform = Dataset(), Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = frame.ImagePositionPatient
        content.FrameAcquisitionNumber = frame.InstanceNumber
        transform.RescaleSlope = frame.RescaleSlope
        transform.RescaleIntercept = frame.RescaleIntercept
        transform.RescaleType = "US"
        group.PlanePositionSequence = [position]
        group.FrameContentSequence = [content]
        group.PixelValueTransformationSequence = [transform]
        groups.append(group)
    enhanced.PerFrameFunctionalGroupsSequence = groups
    return enhanced


def write_nifti(
    path: Path,
    directions: np.ndarray,
    *,
    grid: tuple[int, int, int] = (7, 6, 5),
    spacing: Sequence[float] = (0.75, 1.5, 4.0),
    origin: Sequence[float] = (31.5, -22.25, -140.0),
    slope: float = 1.0,
) -> np.ndarray:
    """Writes the phantom with its stored axes along the columns of ``directions`` (RAS).

    Returns:
        The affine of the file, stored index to RAS mm.
    """
    ras = np.eye(4)
    ras[:3, :3] = directions * np.array(spacing)
    ras[:3, 3] = origin
    values = values_on(np.diag([-1.0, -1, 1, 1]) @ ras, grid)
    # Stored as integers, as scanners' converters do; error below half the slope.
    image = nibabel.Nifti1Image(np.round(values / slope).astype(np.int16), ras)
    image.header.set_slope_inter(slope, 0)
    image.set_sform(ras, code=1)
    image.set_qform(ras, code=1)
    nibabel.save(image, path)
    return np.asarray(nibabel.load(path).affine)
