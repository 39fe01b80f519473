"""Whether the pixels of a DICOM image may show the patient's name: no header takes that away."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import UID

from napari_d24fad.studies.dicom.values import text

# Ultrasound machines and programs that capture screens write into the picture.
_MODALITIES = frozenset({"US", "IVUS", "SC"})
_CAPTURES = ("Secondary Capture", "Ultrasound")


def may_be_burned_in(header: Dataset) -> bool:
    """Returns whether text about the patient may be part of the picture.

    Burned In Annotation (0028,0301) decides if it is stated. If not, pictures of kinds that
    usually have text in them may have it: ultrasound, secondary captures, and files of
    Conversion Type (0008,0064), which no scanner writes.
    """
    stated = text(header, "BurnedInAnnotation").upper()
    if stated in {"YES", "NO"}:
        return stated == "YES"
    sop_class = UID(text(header, "SOPClassUID")).name
    captured = any(kind in sop_class for kind in _CAPTURES) or bool(text(header, "ConversionType"))
    return captured or text(header, "Modality") in _MODALITIES
