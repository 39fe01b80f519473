"""When and on which scanner a scan was made, as far as a cohort needs it: to see whether scores drift."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from pydicom.datadict import tag_for_keyword

from napari_d24fad.studies.dicom.file import open_dicom, read_header
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.series import Series

_DATES = ("AcquisitionDateTime", "AcquisitionDate", "SeriesDate", "StudyDate")
_SCANNER = ("Manufacturer", "ManufacturerModelName", "StationName", "DeviceSerialNumber", "InstitutionName")
_MONTH = re.compile(r"(\d{4})(0[1-9]|1[0-2])")
_MONTHS = 12 * 1000
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Acquired:
    """When and where a scan was made.

    Attributes:
        month: Months from a month that only the cohort knows; None if not stated.
        scanner: Hash of what states the scanner; empty if nothing does.
        month_stated: The month itself, YYYY-MM.
        station: The scanner in words.
    """

    month: int | None = None
    scanner: str = ""
    month_stated: str = field(default="", repr=False)
    station: str = field(default="", repr=False)


def acquired(series: Series, salt: bytes) -> Acquired:
    """Reads from the first file of a DICOM series when and where it was acquired.

    Args:
        series: The series.
        salt: The cohort's own. Months are counted from one that it determines, so that their order and their
            distance are known and not the date; scanners are told apart by a hash.
    """
    if series.kind != "DICOM" or not series.files:
        return Acquired()
    tags = [tag for name in (*_DATES, *_SCANNER) if (tag := tag_for_keyword(name)) is not None]
    try:
        with quiet(), open_dicom(series.files[0]) as file:
            header = read_header(file, tags)
            texts = {name: str(header.get(name, "") or "").strip() for name in (*_DATES, *_SCANNER)}
    except Exception:  # whatever pydicom raises: the scan was read all the same, and this is beside it
        return Acquired()
    stated = next((found for name in _DATES if (found := _MONTH.match(texts[name]))), None)
    named = [texts[name] for name in _SCANNER]
    scanner = _hashed(salt, "\0".join(named))[:_DIGITS] if any(named) else ""
    station = ", ".join(filter(None, named))
    if stated is None:
        return Acquired(None, scanner, "", station)
    shift = int(_hashed(salt, "months"), 16) % _MONTHS
    month = int(stated[1]) * 12 + int(stated[2]) - 1 + shift
    return Acquired(month, scanner, f"{stated[1]}-{stated[2]}", station)


def _hashed(salt: bytes, text: str) -> str:
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()
