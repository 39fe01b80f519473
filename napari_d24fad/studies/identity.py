"""Says whose a series is, for users who ask for it: names, IDs and file names are not kept otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from napari_d24fad.studies.descriptions import without_identity
from napari_d24fad.studies.dicom.file import open_dicom, read_header
from napari_d24fad.studies.dicom.series import DicomSeries
from napari_d24fad.studies.dicom.values import text
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.series import Series

_KEYWORDS = ("PatientName", "PatientID", "SeriesDescription")
_TAGS = [Tag(keyword) for keyword in (*_KEYWORDS, "SpecificCharacterSet")]


def with_identity(series: Series) -> Series:
    """Returns the series with a description that names the patient, or the file if it has no header.

    Of DICOM: Patient's Name (0010,0010), Patient ID (0010,0020) and the whole Series
    Description (0008,103E), read from its first file.
    """
    identity = replace(series.identity, description=_named(series))
    remedy = None if series.remedy is None else with_identity(series.remedy)
    return replace(series, outline=replace(series.outline, identity=identity), remedy=remedy)


def _named(series: Series) -> str:
    shown = series.identity.description
    if isinstance(series, DicomSeries):
        header = _header(series.instances[0].path)
    else:
        return f"{series.source.name}, {shown}"
    name, patient_id, stated = (" ".join(text(header, keyword).split()) for keyword in _KEYWORDS)
    # What was added to tell the parts of a series apart follows what was shown of it.
    apart = shown.removeprefix(without_identity(stated)).removeprefix(", ")
    return ", ".join(part for part in (name, patient_id, stated, apart) if part)


def _header(path: Path) -> Dataset:
    try:
        with open_dicom(path) as file, quiet():
            return read_header(file, _TAGS)
    except Exception:
        # Gone or changed since it was indexed: pydicom raises many kinds, and there is nothing to name.
        return Dataset()
