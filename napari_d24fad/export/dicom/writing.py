"""Writes the DICOM objects of a case to a folder, all or nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from highdicom.seg import Segmentation
from pydicom.dataset import Dataset

from napari_d24fad.atomic import atomic_folder
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.dicom.captures import contact_sheet, key_objects, key_slices
from napari_d24fad.export.dicom.common import tracked
from napari_d24fad.export.dicom.kinds import USUAL
from napari_d24fad.export.dicom.parametric_map import parametric_map
from napari_d24fad.export.dicom.segmentation import segmentation
from napari_d24fad.export.dicom.source import Source, read_source
from napari_d24fad.export.dicom.structured_report import structured_report
from napari_d24fad.export.pages.entry import CaseEntry
from napari_d24fad.export.pages.pictures import Pictures
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.series import Series

_NAMES = {"seg": "segmentation.dcm", "labelmap": "labelmap.dcm", "pm": "map.dcm", "sr": "report.dcm"}
_UNPLACED = "The source does not say where in the patient its slices lie, or in which frame of reference."
_SEGMENTED = {"seg", "labelmap", "sr"}
_SHEET, _KEYS = "contact_sheet.dcm", "key_objects.dcm"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        names: Of the files.
        left_out: Sentences that say what there is no object of, and why.
    """

    names: tuple[str, ...]
    left_out: tuple[str, ...]


def save_dicom(
    folder: Path,
    entry: CaseEntry,
    series: Series,
    kinds: Collection[str] = USUAL,
    *,
    may_replace: bool = False,
) -> Written:
    """Writes results of a scan as DICOM objects of its study.

    Exported are the findings that were accepted, or without any those that were not rejected. Without a
    finding there is no segmentation and no structured report.

    Args:
        folder: Where to; made if it is not there.
        entry: The case; its scan must have its pixels for pictures (``sc``).
        series: What the scan was read from.
        kinds: Keys of `KINDS`. A structured report refers to segments, so that ``sr`` writes ``seg`` as well.
        may_replace: Whether earlier objects in the folder may be replaced.

    Returns:
        What was written, and what of it there is nothing to write of.

    Raises:
        ExportError: ``NO_DICOM_SOURCE`` and ``SOURCE_INCOMPLETE`` as `read_source`; ``FINDINGS_OVERLAP``;
            ``NOTHING_TO_EXPORT`` if none of the kinds has anything to show; ``FILE_IS_THERE``;
            ``CANNOT_WRITE``, and the folder is as it was.
        StudyError: Files of the series are not there any more.
    """
    source = replace(read_source(series), scan=entry.found.scan)
    with quiet():  # highdicom warns of what a scanner wrote
        objects = _objects(source, entry, set(kinds))
    left_out = _left_out(source, entry, kinds)
    if not objects:
        raise ExportError(Code.NOTHING_TO_EXPORT, " ".join(left_out))
    if not may_replace and any((folder / name).exists() for name in objects):
        raise ExportError(Code.FILE_IS_THERE)
    with atomic_folder(folder) as new:
        for name, each in objects.items():
            each.save_as(new / name, enforce_file_format=True)
    return Written(tuple(objects), left_out)


def _left_out(source: Source, entry: CaseEntry, kinds: Collection[str]) -> tuple[str, ...]:
    found = entry.findings.reported
    said = []
    if not source.has_places and not source.is_plain_image and _SEGMENTED & set(kinds):
        return (
            "The source does not say where in the patient its slices lie, or in which frame of reference.",
        )
    if not found and _SEGMENTED & set(kinds):
        said.append("There is no finding for a segmentation or a structured report.")
    elif not any(each.mask is not None for each in found) and {"seg", "labelmap"} & set(kinds):
        said.append("No finding has an outline for a segmentation.")
    if "pm" in kinds and not source.has_places:
        said.append("A Parametric Map must say where in the patient it lies, which the image does not.")
    return tuple(said)


def _objects(source: Source, entry: CaseEntry, kinds: set[str]) -> dict[str, Dataset]:
    anomaly = entry.found.anomaly
    found = [tracked(each, source) for each in entry.findings.reported]
    if not source.has_places and not source.is_plain_image:
        kinds = kinds & {"sc"}
    outlined = [each for each in found if each.finding.mask is not None]
    objects: dict[str, Dataset] = {}
    segments: Segmentation | None = None
    if outlined and kinds & {"seg", "sr"}:
        segments = segmentation(source, anomaly, outlined, 1)
        objects[_NAMES["seg"]] = segments
    if outlined and "labelmap" in kinds:
        objects[_NAMES["labelmap"]] = segmentation(source, anomaly, outlined, 2, as_labelmap=True)
    if "pm" in kinds and source.has_places:
        objects[_NAMES["pm"]] = parametric_map(source, anomaly, 3)
    if found and "sr" in kinds:
        objects[_NAMES["sr"]] = structured_report(source, anomaly, found, segments, 4)
    if "sc" in kinds:
        objects |= _pictures(source, entry)
    return objects


def _pictures(source: Source, entry: CaseEntry) -> dict[str, Dataset]:
    drawn = Pictures(entry)
    captures = key_slices(source, entry, drawn, 5)
    pictures: dict[str, Dataset] = {
        f"key_slice_{at:02d}.dcm": each for at, each in enumerate(captures, start=1)
    }
    sheet = contact_sheet(source, entry, drawn, 6)
    if sheet is not None:
        pictures[_SHEET] = sheet
    if captures:
        pictures[_KEYS] = key_objects(source, captures, 7)
    return pictures
