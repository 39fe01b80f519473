"""Writes the scans of the sample study as MR Image Storage, and the lesion mask as NIfTI."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.sample.anatomy import Mask, Pixels
from napari_d24fad.sample.subject import SLICE_MM, Subject


@dataclass(frozen=True, slots=True)
class SeriesLabel:
    """Under what name a synthetic scan is written.

    Attributes:
        number: Number of the synthetic subject, from 1.
        key: Seeds the UIDs: the same key gives the same UIDs.
    """

    number: int
    key: str

    def uid(self, level: str) -> str:
        """Returns the UID of one level, such as ``"study"`` or one slice."""
        return str(generate_uid(entropy_srcs=["napari-d24fad sample", self.key, level]))


def write_series(
    folder: Path,
    pixels: Pixels,
    subject: Subject,
    label: SeriesLabel,
    *,
    progress: Progress,
    cancel: CancelToken,
) -> None:
    """Writes one file per slice into a folder that exists.

    Args:
        folder: Where to.
        pixels: ``(slices, rows, columns)``, inferior to superior.
        subject: States the geometry.
        label: States names and UIDs.
        progress: Told after each slice.
        cancel: Asked before each slice.

    Raises:
        Cancelled: If ``cancel`` asked for it.
        OSError: If a file cannot be written.
    """
    low, high = np.percentile(pixels[pixels > 0.1 * subject.gain], (1, 99))
    common = _common(subject, label)
    common.WindowCenter, common.WindowWidth = round((low + high) / 2), round(high - low)
    for index, image in enumerate(pixels):
        cancel.check()
        common.SOPInstanceUID = label.uid(f"slice {index}")
        common.InstanceNumber = index + 1
        position = subject.affine @ (index, 0, 0, 1)
        common.ImagePositionPatient = [round(float(value), 4) for value in position[:3]]
        common.SliceLocation = common.ImagePositionPatient[2]
        common.SmallestImagePixelValue, common.LargestImagePixelValue = int(image.min()), int(image.max())
        common.PixelData = image.astype("<u2").tobytes()
        path = folder / f"IM{index + 1:04d}.dcm"
        instance = FileDataset(path, common, file_meta=_file_meta(common), preamble=b"\0" * 128)
        instance.save_as(path, enforce_file_format=True)
        progress((index + 1) / len(pixels), f"Writing {common.SeriesDescription}")


def write_mask(path: Path, mask: Mask, subject: Subject) -> None:
    """Writes where the lesion is, as an 8-bit NIfTI volume of the scan's geometry.

    Args:
        path: Where to.
        mask: ``(slices, rows, columns)``; stored as columns, rows, slices.
        subject: States the geometry.

    Raises:
        OSError: If the file cannot be written.
    """
    lps_to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine = lps_to_ras @ subject.affine[:, [2, 1, 0, 3]]
    image = nibabel.Nifti1Image(mask.transpose(2, 1, 0).astype(np.uint8), affine)
    image.header.set_xyzt_units("mm")
    image.set_qform(affine, code="scanner")
    image.set_sform(affine, code="scanner")
    nibabel.save(image, path)


def _file_meta(dataset: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return meta


def _common(subject: Subject, label: SeriesLabel) -> Dataset:
    """Returns the attributes that all slices of a series share (PS3.3 A.4, MR Image IOD)."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = MRImageStorage

    dataset.PatientName = f"SYNTHETIC^SUBJECT {label.number}"
    dataset.PatientID = f"SYN-{label.number}"
    dataset.PatientBirthDate = ""
    dataset.PatientSex = ""

    dataset.StudyInstanceUID = label.uid("study")
    dataset.StudyDate = ""
    dataset.StudyTime = ""
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = str(label.number)
    dataset.AccessionNumber = ""
    dataset.StudyDescription = "Synthetic head"

    dataset.Modality = "MR"
    dataset.SeriesInstanceUID = label.uid("series")
    dataset.SeriesNumber = 1
    dataset.SeriesDescription = f"Synthetic T1, subject {label.number}"
    dataset.BodyPartExamined = "HEAD"
    dataset.PatientPosition = "HFS"
    dataset.FrameOfReferenceUID = label.uid("frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.Manufacturer = "napari-d24fad"

    dataset.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    dataset.DerivationDescription = "Simulated from the MNI ICBM152 2009a T1 average; shows no person"
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.ScanningSequence = "GR"
    dataset.SequenceVariant = "SP"
    dataset.ScanOptions = ""
    dataset.MRAcquisitionType = "2D"
    dataset.RepetitionTime = ""
    dataset.EchoTime = ""
    dataset.EchoTrainLength = ""

    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [subject.pixel_mm, subject.pixel_mm]
    dataset.SliceThickness = SLICE_MM
    dataset.SpacingBetweenSlices = SLICE_MM

    dataset.Rows = dataset.Columns = subject.matrix
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 16
    dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    return dataset
