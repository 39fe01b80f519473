"""Finds the series in files of any kind by their headers: DICOM first, pictures only where there is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.dicom.file import NOT_DICOM, NotDicomError
from napari_d24fad.studies.dicom.header import Instance, read_instance
from napari_d24fad.studies.dicom.series import dicom_series
from napari_d24fad.studies.files.bounded import open_file
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.formats.known import format_name
from napari_d24fad.studies.formats.series import ITK_SUFFIXES, is_itk, itk_series
from napari_d24fad.studies.nifti.files import (
    ALONE,
    FREESURFER,
    HEADERS,
    VOXELS,
    header_of,
    is_deflated,
    may_be_volume,
)
from napari_d24fad.studies.nifti.series import nifti_series
from napari_d24fad.studies.nifti.weightings import table_of
from napari_d24fad.studies.pictures import IMAGE_SUFFIXES, image_series
from napari_d24fad.studies.series import Series

VOLUME_SUFFIXES = (*ALONE, *FREESURFER, *ITK_SUFFIXES)
"""What the names of files end in that are a volume, or several, by themselves."""

_LONGEST_START = 540
_EARLY_S = 0.4
_READING = "Reading headers"


class Leftovers(Protocol):
    """What is said of files that are not read."""

    def refuse(self, error: StudyError) -> None:
        """Takes down a file that cannot be read, and why."""

    def pass_over(self, path: Path, what: str) -> None:
        """Takes down a file that is no scan, and what it is; empty if that is not known."""

    def forget(self, used: frozenset[Path]) -> None:
        """Forgets files that turned out to be part of a scan."""


class Refusing:
    """For a file that was opened by itself: says at once why it cannot be read."""

    def refuse(self, error: StudyError) -> None:
        """Raises it."""
        raise error from None

    def pass_over(self, path: Path, what: str) -> None:
        """Raises ``NOT_AN_IMAGE``, which says what the file is."""
        raise StudyError(Code.NOT_AN_IMAGE, f"It is {what}, which is not read." if what else NOT_DICOM)

    def forget(self, used: frozenset[Path]) -> None:
        """Nothing was taken down."""


Early = Callable[[tuple[Series, ...]], None]
"""Given the first series of a long search, once, while it goes on."""


def find_series(
    files: Sequence[Path],
    left_out: Leftovers,
    progress: Progress,
    cancel: CancelToken,
    early: Early | None = None,
    patients: Mapping[Path, str] = MappingProxyType({}),
) -> tuple[Series, ...]:
    """Reads the headers of files.

    Args:
        files: Of any kind.
        left_out: Told of files that are not read. Pictures beside DICOM files are such: on a disc they
            are icons of its viewer, and copies of its slices for web browsers.
        progress: Told how far it is.
        cancel: Stops it.
        early: Given the DICOM series that were found after `_EARLY_S`, as soon as files of another one
            begin. Slices of them may still be found elsewhere.
        patients: Keys of patients, see `patient_key`, for files that state none themselves.

    Returns:
        DICOM series first, others in the order of their files.

    Raises:
        StudyError: What ``left_out`` raises.
        Cancelled: If a stop was asked for.
    """
    places = {file: place for place, file in enumerate(files)}
    instances: list[Instance] = []
    others: list[Series] = []
    pictures = [file for file in files if file.name.lower().endswith(IMAGE_SUFFIXES)]
    every = set(files)
    scans = sorted(every.difference(pictures), key=places.__getitem__)
    began = time.monotonic()
    with quiet():  # once: silencing the libraries for each file takes a tenth of the time
        for index, file in enumerate(scans):
            cancel.check()
            progress(index / len(files), _READING)
            try:
                found = _read(file, every, left_out)
            except StudyError as error:
                left_out.refuse(error)
                continue
            if isinstance(found, Instance):
                found = _of_patient(found, patients.get(file, ""))
                if early is not None and _is_time(began) and _begins_another(instances, found):
                    early(tuple(one for one in dicom_series(instances) if one.member is None))
                    early = None
                instances.append(found)
            else:
                others += found
        for index, file in enumerate(pictures, start=len(scans)):
            cancel.check()
            progress(index / len(files), _READING)
            if instances:
                left_out.pass_over(file, "a picture beside DICOM files")
                continue
            try:
                others.append(image_series(file))
            except StudyError as error:
                left_out.refuse(error)
    tables = (table_of(one.source) for one in others if one.member and one.member.name)
    left_out.forget(frozenset((*tables, *(path for one in others for path in one.files))))
    others.sort(key=lambda one: places[one.source])
    series = (*dicom_series(instances), *others)
    progress(1.0, _READING)
    return series


def _of_patient(instance: Instance, patient: str) -> Instance:
    who = instance.identity
    return replace(instance, identity=replace(who, patient_key=who.patient_key or patient))


def _is_time(began: float) -> bool:
    return time.monotonic() - began >= _EARLY_S


def _begins_another(instances: Sequence[Instance], found: Instance) -> bool:
    return bool(instances) and instances[-1].identity.series_uid != found.identity.series_uid


def _read(file: Path, files: Set[Path], left_out: Leftovers) -> Instance | Sequence[Series]:
    """Reads one file that is no picture by its name; nothing of the second of two pieces.

    Raises:
        StudyError: Why it cannot be read.
    """
    name = file.name.lower()
    own = next((read for suffixes, read in _READERS if name.endswith(suffixes)), None)
    if own is not None:
        return own(file)
    try:
        return read_instance(file)
    except NotDicomError:
        pass
    # Such names are given to DICOM files as well.
    if name.endswith((*HEADERS, *VOXELS)):
        return () if header_of(file) in files else nifti_series(file)
    return _volume_of_any_name(file) or _passed_over(file, left_out)


_READERS: tuple[tuple[tuple[str, ...], Callable[[Path], Sequence[Series]]], ...] = (
    ((*ALONE, *FREESURFER), nifti_series),
    (ITK_SUFFIXES, itk_series),
)


def _volume_of_any_name(file: Path) -> Sequence[Series]:
    """Reads a volume that is not called one; nothing if it is none."""
    try:
        with open_file(file) as opened:
            start = opened.read(_LONGEST_START)
    except (OSError, StudyError):
        return ()
    if is_itk(start):
        return itk_series(file)
    try:
        if may_be_volume(start) or is_deflated(start):
            return nifti_series(file)
    except StudyError:
        pass  # nothing says that it is meant to be one
    return ()


def _passed_over(file: Path, left_out: Leftovers) -> Sequence[Series]:
    left_out.pass_over(file, format_name(file))
    return ()
