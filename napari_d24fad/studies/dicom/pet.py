"""What the header of a PET slice, or of a frame, states of activity, dose and times; see `suv`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from napari_d24fad.studies.dicom.values import items, number, text

PHILIPS_CREATOR, PHILIPS_SUV, PHILIPS_ACTIVITY = 0x70530010, 0x70531000, 0x70531009
GE_CREATOR, GE_SCAN_TIME = 0x00090010, 0x0009100D
_KEYWORDS = (
    "Units",
    "SUVType",
    "CorrectedImage",
    "DecayCorrection",
    "DecayCorrectionDateTime",
    "DecayCorrected",
    "AttenuationCorrected",
    "SeriesDate",
    "SeriesTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "FrameReferenceTime",
    "ActualFrameDuration",
    "PatientWeight",
    "TimezoneOffsetFromUTC",
    "RadiopharmaceuticalInformationSequence",
)
PET_TAGS = (
    *(int(Tag(keyword)) for keyword in _KEYWORDS),
    *(PHILIPS_CREATOR, PHILIPS_SUV, PHILIPS_ACTIVITY, GE_CREATOR, GE_SCAN_TIME),
)
"""Attributes that are kept of each slice; they identify patients and are never shown."""

# Units of enhanced files (UCUM), and what Units (0054,1001) calls them.
_UNITS = {"Bq/ml": "BQML", "Bq/mL": "BQML", "{SUVbw}g/ml": "GML", "g/ml{SUVbw}": "GML"}


def pet_facts(header: Dataset) -> Dataset:
    """Returns the attributes of `PET_TAGS` that a header has."""
    found = Dataset()
    for tag in PET_TAGS:
        if tag in header:
            found[tag] = header.get_item(tag)
    return found


def frame_facts(header: Dataset, groups: Sequence[Dataset]) -> Dataset:
    """Returns what an enhanced file states of a frame, by the names that other files give it.

    Its unit is that of Real World Value Mapping Sequence (0040,9096), where that maps stored values as
    the rescale does, which is what is read. The moment that decay is corrected to is Decay Correction
    DateTime (0018,9701).

    Args:
        header: Of the file.
        groups: The functional groups of the frame, its own last.
    """
    found = pet_facts(header)
    flags = {"DecayCorrected": "DECY", "AttenuationCorrected": "ATTN"}
    if any(name in found for name in flags):
        found.CorrectedImage = [done for name, done in flags.items() if text(found, name) == "YES"]
    if "DecayCorrectionDateTime" in found and text(found, "DecayCorrected") == "YES":
        found.DecayCorrection = "START"
    unit = _unit(groups)
    if unit:
        found.Units, found.SUVType = unit, "BW"
    return found


def _unit(groups: Sequence[Dataset]) -> str:
    rescale, mappings = _last(groups, "PixelValueTransformationSequence"), _mappings(groups)
    if rescale is None:
        return ""
    stated = [number(rescale, name) for name in ("RescaleSlope", "RescaleIntercept")]
    for mapping in mappings:
        mapped = [number(mapping, name) for name in ("RealWorldValueSlope", "RealWorldValueIntercept")]
        same = all(
            one is not None and other is not None and math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
            for one, other in zip(stated, mapped, strict=True)
        )
        code = items(mapping, "MeasurementUnitsCodeSequence")[:1]
        if same and code:
            return _UNITS.get(text(code[0], "CodeValue"), "OTHER")
    return ""


def _last(groups: Sequence[Dataset], macro: str) -> Dataset | None:
    found = [item for group in groups for item in items(group, macro)[:1]]
    return found[-1] if found else None


def _mappings(groups: Sequence[Dataset]) -> list[Dataset]:
    return [item for group in groups for item in items(group, "RealWorldValueMappingSequence")]
