"""What all objects have in common: who made them, where they belong, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import numpy.typing as npt
from highdicom import AlgorithmIdentificationSequence, Volume
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import UID, generate_uid

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.export.dicom.source import Source
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.findings.finding import Finding
from napari_d24fad.studies.dicom.values import text
from napari_d24fad.version import __version__

MANUFACTURER, MODEL_NAME = "napari-d24fad", "D2-4FAD"
DESCRIPTION = "Anomaly map (research use only)"
"""Series Description (0008,103E) of what is coloured or measured by the map."""
SCHEME = "99D24FAD"
"""Coding Scheme Designator (0008,0102) of what no standard has a code for."""

MAP_VALUE = CodedConcept("anomaly-value", SCHEME, "Anomaly map value")
P_VALUE = CodedConcept("conformal-p", SCHEME, "Conformal p-value among the normal references")
ABNORMAL = codes.SCT.MorphologicallyAbnormalStructure

UNPAIRED = ("HEAD", "BRAIN", "NECK", "CHEST", "THORAX", "HEART", "ABDOMEN", "LIVER", "PELVIS")
_ALSO_UNPAIRED = ("SKULL", "CSPINE", "TSPINE", "LSPINE", "SSPINE", "SPINE", "COCCYX")
"""Parts of the body that there is one of, as Body Part Examined (0018,0015) names them."""

_NAMES = UUID("6a1d24fa-d000-4c1b-9d2e-2f4fad24fad0")
"""Whose names UIDs are made of."""
_LONGEST = 64
"""Characters of a Segment Label (0062,0005) and a Tracking Identifier."""
_FIRST_SERIES = 9000
"""Series Number (0020,0011) of the first object; scanners count from 1."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A finding with what tells it from all others in the world.

    Attributes:
        finding: The finding.
        name: Tracking Identifier (0062,0020).
        uid: Tracking Unique Identifier (0062,0021): the same each time the finding is exported.
    """

    finding: Finding
    name: str
    uid: str


def tracked(finding: Finding, source: Source) -> Tracked:
    """Names a finding for an archive.

    Args:
        finding: Of the scan.
        source: Where the scan came from.
    """
    series = str(source.first.SeriesInstanceUID)
    words = f"Finding {finding.number}"
    if finding.label:
        words += f": {finding.label}"
    place = f"{finding.beside} {finding.number} {finding.region.peak_index}"
    return Tracked(finding, words[:_LONGEST], _named_uid(f"{series} {place}"))


def origin(source: Source, number: int, description: str = DESCRIPTION) -> dict[str, Any]:
    """Returns the arguments that every object of highdicom takes: a new series, and who made it.

    Args:
        source: The images.
        number: Which object it is, from 1.
        description: Of the series.
    """
    return {
        "series_instance_uid": generate_uid(prefix=None),
        "series_number": _FIRST_SERIES + number,
        "sop_instance_uid": generate_uid(prefix=None),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "series_description": description,
        # UTF-8, which can hold whatever the name of the patient was written in.
        "specific_character_set": "ISO_IR 192",
    }


def say_body_part(made: Dataset, source: Source) -> None:
    """Repeats Body Part Examined (0018,0015) and Laterality (0020,0060).

    The latter may be empty, but is not to be there for what there is one of.
    """
    stated = text(source.first, "BodyPartExamined")
    if stated:
        made.BodyPartExamined = stated
    if stated.upper() not in UNPAIRED + _ALSO_UNPAIRED:
        made.Laterality = text(source.first, "Laterality")


def made_by() -> dict[str, Any]:
    """Returns the arguments that say which program made an image."""
    return {
        "manufacturer_model_name": MODEL_NAME,
        "software_versions": __version__,
        "device_serial_number": __version__,  # may not be empty, and a program has no other
    }


def device_uid() -> UID:
    """Returns the UID of the program, which stands for the device that observed."""
    return _named_uid(f"{MANUFACTURER} {__version__}")


def algorithm(anomaly: AnomalyMap) -> AlgorithmIdentificationSequence:
    """Says what found the regions: name, version and parameters."""
    parameters = {
        "scoring": anomaly.scoring,
        "plan": anomaly.plan,
        "direction": anomaly.direction,
        "model": anomaly.model_name,
        "model_sha256": anomaly.model_sha256,
        "references": str(len(anomaly.reference_scores)),
        "level": f"{anomaly.level_one_region:.6g}",
        "notice": NOTICE,
    }
    return AlgorithmIdentificationSequence(
        name=f"{MANUFACTURER} {MODEL_NAME}",
        family=codes.DCM.ArtificialIntelligence,
        version=__version__,
        source=MANUFACTURER,
        parameters={key: value for key, value in parameters.items() if value},
    )


def on_grid(array: npt.NDArray[Any], source: Source) -> npt.NDArray[Any] | Volume:
    """Returns an array with where in the patient it lies, where that is known.

    Args:
        array: ``(slices, rows, columns[, segments])`` on the grid of the scan.
        source: The images.
    """
    contiguous = np.ascontiguousarray(array)
    if not source.has_places:
        return contiguous
    return Volume(
        contiguous,
        np.asarray(source.scan.affine, float),
        coordinate_system="PATIENT",
        frame_of_reference_uid=str(source.first.FrameOfReferenceUID),
        channels=None if array.ndim == 3 else {"SegmentNumber": range(1, array.shape[3] + 1)},
    )


def source_images(source: Source) -> dict[str, Any]:
    """Returns the arguments that name the images; of files with frames, one and then others."""
    headers = list(source.headers)
    if "NumberOfFrames" in source.first and int(source.first.NumberOfFrames) > 1 and len(headers) > 1:
        return {"source_images": headers[:1], "further_source_images": headers[1:]}
    return {"source_images": headers}


def _named_uid(name: str) -> UID:
    """Returns the UID (PS3.5 B.2) that is always the same for a name."""
    return UID(f"2.25.{uuid5(_NAMES, name).int}")
