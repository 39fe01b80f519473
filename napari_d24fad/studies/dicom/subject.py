"""Whom a DICOM header is about, without keeping who that is, and which part of the body."""

from __future__ import annotations

import hashlib
import secrets

from pydicom.dataset import Dataset

from napari_d24fad.studies.dicom.values import items, text

_SALT = secrets.token_bytes(32)

# Defined Terms of Body Part Examined that abbreviate what Code Meaning spells out (PS3.16, Annex L).
_SPELT_OUT = {
    "CERVICALSPINE": "CSPINE",
    "THORACICSPINE": "TSPINE",
    "LUMBARSPINE": "LSPINE",
    "SACRALSPINE": "SSPINE",
    "THORAX": "CHEST",
}

_NO_AGENT = {"", "NO", "NONE", "N", "WITHOUT", "NOCONTRAST", "NATIVE", "PLAIN", "UNENHANCED"}


def patient_key(header: Dataset) -> str:
    """Returns what tells patients apart: a hash of Patient ID (0010,0020) and its issuer.

    The salt is drawn anew when the program starts and never kept: a key says nothing
    elsewhere, nor to anybody who tries all IDs.

    Returns:
        64 hexadecimal digits; empty if there is no Patient ID.
    """
    patient_id = text(header, "PatientID")
    if not patient_id:
        return ""
    # The issuer is set apart so that no two pairs join to the same text.
    stated = f"{patient_id}\n{text(header, 'IssuerOfPatientID')}"
    return hashlib.sha256(_SALT + stated.encode()).hexdigest()


def body_part(header: Dataset) -> str:
    """Returns the part of the body in capital letters alone, such as ``"HEAD"``.

    Read from Body Part Examined (0018,0015), else from the meaning of the first item of
    Anatomic Region Sequence (0008,2218), which enhanced files state in Frame Anatomy Sequence
    (0020,9071) for all frames.

    Returns:
        Comparable between the two attributes; empty if neither is stated.
    """
    stated = text(header, "BodyPartExamined")
    groups = items(header, "SharedFunctionalGroupsSequence")
    frames = [anatomy for group in groups for anatomy in items(group, "FrameAnatomySequence")]
    for part in (header, *frames):
        for region in items(part, "AnatomicRegionSequence"):
            stated = stated or text(region, "CodeMeaning")
    letters = "".join(letter for letter in stated.upper() if letter.isalpha())
    return _SPELT_OUT.get(letters, letters)


def with_contrast(header: Dataset) -> bool:
    """Whether Contrast/Bolus Agent (0018,0010) or its sequence (0018,0012) names one.

    Files of plain scans leave both out; some scanners write that there was none.
    """
    named = "".join(letter for letter in text(header, "ContrastBolusAgent").upper() if letter.isalpha())
    return named not in _NO_AGENT or bool(items(header, "ContrastBolusAgentSequence"))
