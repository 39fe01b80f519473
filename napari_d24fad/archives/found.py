"""What is asked of an archive and what it says that it has."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from napari_d24fad.errors import ArgumentError, Code

_DATE = re.compile(r"(?:\d{8})?(?:-(?:\d{8})?)?")
_LONGEST = 64
PAGE = 200
"""Results that are asked for at once."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a study must have to be found; what is empty does not matter.

    Attributes:
        patient_id: Patient ID (0010,0020).
        name: Patient's Name (0010,0010); ``*`` stands for anything.
        date: Study Date (0008,0020): a day, or a range with ``-``, as YYYYMMDD.
        modality: Modalities in Study (0008,0061).
        study: Study Instance UID (0020,000D).

    Raises:
        ArgumentError: BAD_ARGUMENT for a date or a text that DICOM does not allow.
    """

    patient_id: str = ""
    name: str = ""
    date: str = ""
    modality: str = ""
    study: str = ""

    def __post_init__(self) -> None:
        if not _DATE.fullmatch(self.date) or self.date == "-":
            raise ArgumentError(Code.BAD_ARGUMENT, "A date is written YYYYMMDD, a range YYYYMMDD-YYYYMMDD.")
        for text in (self.patient_id, self.name, self.modality, self.study):
            if len(text) > _LONGEST or "\\" in text or not text.isprintable():
                raise ArgumentError(
                    Code.BAD_ARGUMENT, "What is searched for has up to 64 characters and no backslash."
                )

    @property
    def filters(self) -> dict[str, str]:
        """The values by keyword, those that matter."""
        values = {
            "PatientID": self.patient_id,
            "PatientName": self.name,
            "StudyDate": self.date,
            "ModalitiesInStudy": self.modality,
            "StudyInstanceUID": self.study,
        }
        return {keyword: value for keyword, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """A study that an archive has. It names the patient: for the user's eyes only.

    Attributes:
        uid: Study Instance UID.
        patient_id: Patient ID.
        name: Patient's Name.
        date: Study Date, YYYYMMDD.
        description: Study Description.
        modalities: Modalities in Study.
        series: Number of series; 0 if not told.
        instances: Number of instances; 0 if not told.
    """

    uid: str
    patient_id: str = ""
    name: str = ""
    date: str = ""
    description: str = ""
    modalities: str = ""
    series: int = 0
    instances: int = 0

    @classmethod
    def told(cls, uid: str, text_of: Callable[[str], str]) -> FoundStudy:
        """Takes what a peer tells of a study.

        Args:
            uid: Of the study, checked.
            text_of: Returns the value of a keyword as plain text.
        """
        return cls(
            uid=uid,
            patient_id=text_of("PatientID"),
            name=text_of("PatientName"),
            date=text_of("StudyDate"),
            description=text_of("StudyDescription"),
            modalities=text_of("ModalitiesInStudy"),
            series=whole_number(text_of("NumberOfStudyRelatedSeries")),
            instances=whole_number(text_of("NumberOfStudyRelatedInstances")),
        )


@dataclass(frozen=True, slots=True)
class FoundSeries:
    """A series that an archive has.

    Attributes:
        study: Study Instance UID.
        uid: Series Instance UID.
        number: Series Number as text.
        modality: Modality.
        description: Series Description.
        instances: Number of instances; 0 if not told.
    """

    study: str
    uid: str
    number: str = ""
    modality: str = ""
    description: str = ""
    instances: int = 0

    @classmethod
    def told(cls, study: str, uid: str, text_of: Callable[[str], str]) -> FoundSeries:
        """Takes what a peer tells of a series; see `FoundStudy.told`."""
        return cls(
            study=study,
            uid=uid,
            number=text_of("SeriesNumber"),
            modality=text_of("Modality"),
            description=text_of("SeriesDescription"),
            instances=whole_number(text_of("NumberOfSeriesRelatedInstances")),
        )


@dataclass(frozen=True, slots=True)
class FoundInstance:
    """An instance that an archive has.

    Attributes:
        uid: SOP Instance UID.
        sop_class: SOP Class UID; empty if not told.
    """

    uid: str
    sop_class: str = ""


def plain_text(value: object) -> str:
    """Returns what a peer calls something on one line, without control characters, of a sane length."""
    text = "" if value is None else str(value)[: 4 * _LONGEST]
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())[: 2 * _LONGEST]


def whole_number(value: object) -> int:
    """Returns a count that a peer tells; 0 for what is none."""
    try:
        number = int(str(value)[:12])
    except ValueError:
        return 0
    return max(0, number)
