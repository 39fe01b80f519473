from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    MRImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from napari_d24fad.studies.dicom.burned_in import may_be_burned_in


@pytest.mark.parametrize(
    ("sop_class", "modality", "stated", "expected"),
    [
        (MRImageStorage, "MR", None, False),
        (MRImageStorage, "MR", "NO", False),
        (MRImageStorage, "MR", "YES", True),
        (SecondaryCaptureImageStorage, "CT", None, True),
        (SecondaryCaptureImageStorage, "CT", "", True),
        (SecondaryCaptureImageStorage, "CT", "NO", False),
        (MultiFrameGrayscaleByteSecondaryCaptureImageStorage, "OT", None, True),
        (UltrasoundImageStorage, "US", None, True),
        (UltrasoundMultiFrameImageStorage, "US", None, True),
        (UltrasoundImageStorage, "US", "NO", False),
        (MRImageStorage, "IVUS", None, True),
    ],
)
def test_text_in_pixels_is_suspected(
    sop_class: str, modality: str, stated: str | None, expected: bool
) -> None:
    header = Dataset()
    header.SOPClassUID, header.Modality = sop_class, modality
    if stated is not None:
        header.BurnedInAnnotation = stated
    assert may_be_burned_in(header) is expected


def test_a_conversion_gives_a_capture_away() -> None:
    header = Dataset()
    header.Modality, header.ConversionType = "CT", "WSD"
    assert may_be_burned_in(header)
