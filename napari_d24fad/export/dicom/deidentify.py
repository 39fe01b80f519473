"""Copies of DICOM files that no longer say whose they are.

By the Basic Application Confidentiality Profile (PS3.15 E) with the options *Retain Longitudinal Temporal
Information with Modified Dates* and *Retain Patient Characteristics*: dates of one export all move by the
same number of days, and sex, size and weight stay, without which PET has no SUV. What becomes of an attribute
is told by the tables of dicom-anonymizer; that applies them to the uppermost level alone, so that the walk
through sequences is ours.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pydicom
from dicomanonymizer.simpledicomanonymizer import (
    delete,
    delete_or_empty_or_replace_UID,
    initialize_actions_2024b,
    keep,
)
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.multival import MultiValue
from pydicom.uid import UID

from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.dicom.values import text

Action = Callable[[Dataset, tuple[int, int]], None]

_PROFILE = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
)
_METHOD = "napari-d24fad: PS3.15 E.1 basic profile, dates moved"
_KEPT = frozenset({(0x0010, 0x0040), (0x0010, 0x1020), (0x0010, 0x1030)})
"""Patient's Sex, Size and Weight."""
_EARLIEST, _SPAN = 365, 3650
_TIMES = ("DA", "DT", "TM")


class Deidentifier:
    """Replaces identity the same way in all files of an export, and another way in the next.

    Args:
        days: By how many days dates move; None for a random number that is not kept.
    """

    def __init__(self, days: int | None = None) -> None:
        self._key = secrets.token_bytes(32)
        self._days = -(_EARLIEST + secrets.randbelow(_SPAN)) if days is None else days
        actions: dict[tuple[int, ...], Action] = initialize_actions_2024b()
        self._actions = {(tag[0], tag[1]): action for tag, action in actions.items() if len(tag) == 2}
        self._ranges = [(tag, action) for tag, action in actions.items() if len(tag) > 2]
        self.uids: dict[str, str] = {}

    def copy(
        self, files: Iterable[Path], folder: Path, cancel: CancelToken | None = None
    ) -> tuple[Path, ...]:
        """Writes copies of files, named by their order.

        Args:
            files: DICOM files.
            folder: Where to; it must be there.
            cancel: Stops it.

        Raises:
            Cancelled: If a stop was asked for.
        """
        written = []
        for number, path in enumerate(files, start=1):
            if cancel is not None:
                cancel.check()
            dataset = pydicom.dcmread(path)
            self.clean(dataset)
            written.append(folder / f"image_{number:05d}.dcm")
            dataset.save_as(written[-1], enforce_file_format=True)
        return tuple(written)

    def clean(self, dataset: FileDataset) -> None:
        """Removes and replaces what the profile names, on all levels; the pixels stay as they are."""
        name = f"ANON-{self._digest(text(dataset, 'PatientID') + text(dataset, 'PatientName'))[:8].upper()}"
        self._clean(dataset)
        dataset.PatientName = dataset.PatientID = name
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = _METHOD
        dataset.DeidentificationMethodCodeSequence = [_code(*each) for each in _PROFILE]
        dataset.LongitudinalTemporalInformationModified = "MODIFIED"
        dataset.preamble = b"\0" * 128  # may hold anything
        syntax = dataset.file_meta.TransferSyntaxUID
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID

    def _clean(self, dataset: Dataset) -> None:
        dataset.remove_private_tags()
        for tag in list(dataset.keys()):
            place = (tag.group, tag.element)
            action = keep if place in _KEPT else self._action(place)
            if action is keep and dataset[tag].VR != "SQ":
                continue
            element = dataset[tag]
            if element.VR == "SQ" and action in (keep, delete_or_empty_or_replace_UID):
                for item in element.value or ():
                    self._clean(item)
            elif element.VR == "UI":
                element.value = self._replaced(element)
            elif element.VR in _TIMES and action is not delete:
                element.value = self._moved(element)
            elif element.VR == "DA":
                del dataset[tag]  # which the library would fill with a date of its own
            else:
                action(dataset, place)

    def _action(self, place: tuple[int, int]) -> Action:
        found = self._actions.get(place)
        if found is not None:
            return found
        for tag, action in self._ranges:
            if place[0] & tag[2] == tag[0] & tag[2] and place[1] & tag[3] == tag[1] & tag[3]:
                return action
        kept: Action = keep
        return kept

    def _replaced(self, element: DataElement) -> Any:
        several = isinstance(element.value, MultiValue)
        values = [self._uid(str(each)) for each in (element.value if several else [element.value]) if each]
        return values if several else (values[0] if values else "")

    def _uid(self, old: str) -> str:
        if old not in self.uids:
            # The first 128 bits, as PS3.5 B.2 wants them.
            self.uids[old] = str(UID(f"2.25.{int(self._digest(old)[:32], 16)}"))
        return self.uids[old]

    def _digest(self, value: str) -> str:
        return hmac.new(self._key, value.encode(), hashlib.sha256).hexdigest()

    def _moved(self, element: DataElement) -> Any:
        """Returns dates moved by the days of this export; times stay."""
        if element.VR == "TM":
            return element.value
        values = element.value if isinstance(element.value, MultiValue) else [element.value]
        moved = [_moved(str(each), self._days) for each in values]
        return moved if len(moved) > 1 else moved[0]


def _moved(stated: str, days: int) -> str:
    """Moves a date, or one with a time behind; empty where it is none."""
    try:
        day = datetime.datetime.strptime(stated[:8], "%Y%m%d").date() + datetime.timedelta(days)
    except (ValueError, OverflowError):
        return ""
    return f"{day:%Y%m%d}{stated[8:]}"


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code
