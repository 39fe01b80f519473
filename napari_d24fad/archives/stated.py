"""What an image that arrived says that it is, and whether two hold the same pixels."""

from __future__ import annotations

import filecmp
import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from napari_d24fad.errors import D24fadError
from napari_d24fad.studies.dicom.file import open_dicom, read_header
from napari_d24fad.studies.files.quiet import quiet

_KEYWORDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientID", "SOPClassUID")
_TAGS = [Tag(keyword) for keyword in _KEYWORDS]


@dataclass(frozen=True, slots=True)
class Stated:
    """What an image says that it is.

    Attributes:
        study: Study Instance UID.
        series: Series Instance UID.
        instance: SOP Instance UID.
        patient: Patient ID.
        sop_class: SOP Class UID.
        pixels: Position of the pixels in the file; its end without pixels.
    """

    study: str
    series: str
    instance: str
    patient: str
    sop_class: str
    pixels: int


def stated_of(file: Path) -> Stated | None:
    """Returns what a DICOM file says that it is; None if it is none that can be read to its pixels.

    Raises:
        OSError: If it cannot be opened.
    """
    with open_dicom(file) as opened:
        try:
            with quiet():
                header = read_header(opened, _TAGS, force=False)
                study, series, instance, patient, sop_class = (_text(header, tag) for tag in _TAGS)
        except D24fadError:
            return None
        except Exception:
            # pydicom raises whatever on damaged files
            return None
        return Stated(study, series, instance, patient, sop_class, opened.tell()) if instance else None


def _text(header: Dataset, tag: BaseTag) -> str:
    """Returns an element as it is in the file: pydicom's values take longer than all the rest."""
    value = header.get_item(tag).value if tag in header else None
    return value.decode("latin-1").strip(" \0") if isinstance(value, bytes) else str(value or "")


def same_pixels(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes from their pixels on, or as a whole where there are no pixels."""
    if filecmp.cmp(one, other, shallow=False):
        return True
    first, second = _pixels(one), _pixels(other)
    return first is not None and first == second


def _pixels(path: Path) -> bytes | None:
    stated = stated_of(path)
    if stated is None or stated.pixels >= path.stat().st_size:
        return None
    with path.open("rb") as file:
        file.seek(stated.pixels)
        return hashlib.file_digest(file, "sha256").digest()
