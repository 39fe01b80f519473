"""Small DICOM studies that archives are filled with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from tests.studies.phantom import image_dataset, save

STUDY, SERIES, OTHER_SERIES, OTHER_STUDY = "2.25.7001", "2.25.7002", "2.25.7003", "2.25.7009"


def ct_slice(
    number: int, *, study: str = STUDY, series: str = SERIES, pixels: int = 16, other: bool = False
) -> Dataset:
    """One slice of a CT; its pixels follow from its number. Of another patient and day if so wished."""
    random = np.random.default_rng(number)
    dataset = image_dataset(
        random.integers(0, 2000, (pixels, pixels)).astype(np.uint16),
        sop_class=CTImageStorage,
        modality="CT",
        series_uid=series,
    )
    dataset.StudyInstanceUID = study
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{series}.{number}"
    dataset.PatientID, dataset.PatientName = "archive-1", "Archive^One"
    dataset.StudyDate, dataset.StudyTime = "20261130", "120000"
    if other:
        dataset.PatientID, dataset.PatientName, dataset.StudyDate = "other-2", "Other^Two", "20261101"
    dataset.StudyID = dataset.AccessionNumber = "1"
    dataset.StudyDescription, dataset.SeriesDescription = "Chest", "Axial"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.ReferringPhysicianName = "19700101", "O", ""
    dataset.FrameOfReferenceUID = f"{study}.1"
    dataset.InstanceNumber = number
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [0, 0, 2.0 * number]
    dataset.PixelSpacing, dataset.SliceThickness = [1, 1], 2
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    return dataset


def write_slices(folder: Path, count: int, **options: object) -> list[Path]:
    """Writes slices 1 to ``count``, one file each."""
    return [
        save(ct_slice(number, **options), folder / f"{number:04d}.dcm")  # type: ignore[arg-type]
        for number in range(1, count + 1)
    ]


def encoded(dataset: Dataset) -> bytes:
    """A dataset as the bytes of a file."""
    from io import BytesIO

    with BytesIO() as stream:
        dataset.save_as(stream, enforce_file_format=True)
        return stream.getvalue()
