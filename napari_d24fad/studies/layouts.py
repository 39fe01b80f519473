"""Where the scans of a task lie, and in which order they are counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.listing import VOLUME_SUFFIXES
from napari_d24fad.studies.pictures import IMAGE_SUFFIXES
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study

_SUFFIXES = (*IMAGE_SUFFIXES, *VOLUME_SUFFIXES)
_MASK_ENDING = "_mask"


@dataclass(frozen=True, slots=True)
class LabelFolder:
    """One folder of a task and what its scans are for.

    Attributes:
        path: Below the folder of the task.
        abnormal: The label of its scans.
        may_refer: Whether they may be drawn as references.
        may_query: Whether they may be examined.
    """

    path: str
    abnormal: bool
    may_refer: bool
    may_query: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """A way to arrange a task: its folders, and that of the outlines of lesions."""

    folders: tuple[LabelFolder, ...]
    abnormal: str
    masks: str


OURS = Layout(
    (
        LabelFolder("normal", abnormal=False, may_refer=True, may_query=True),
        LabelFolder("abnormal", abnormal=True, may_refer=False, may_query=True),
    ),
    "abnormal",
    "masks",
)
PUBLISHED = Layout(
    (
        LabelFolder("train/good", abnormal=False, may_refer=True, may_query=False),
        LabelFolder("test/good", abnormal=False, may_refer=False, may_query=True),
        LabelFolder("test/bad", abnormal=True, may_refer=False, may_query=True),
    ),
    "test/bad",
    "ground_truth/bad",
)
ORGANS = "anatomy"
"""Folder of a task with outlines of what is to be examined, for normal and abnormal scans alike."""


def layout_of(task: Path) -> Layout:
    """Returns the layout that most folders of a task fit."""
    return max((OURS, PUBLISHED), key=lambda layout: sum((task / f.path).is_dir() for f in layout.folders))


def task_folders(data: Path) -> dict[str, Path]:
    """Returns the folders that lie in the folder of all tasks, by name; itself if it is one task.

    Raises:
        StudyError: PATH_MISSING.
    """
    if not data.exists():
        raise StudyError(Code.PATH_MISSING)
    if any((data / label.path).is_dir() for label in layout_of(data).folders):
        return {data.absolute().name: data}
    return {entry.name: entry for entry in visible(data) if entry.is_dir()}


def visible(folder: Path) -> list[Path]:
    """Returns what lies in a folder by name, without hidden files; empty if there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "_")))


def numbered_series(folder: Path, cancel: CancelToken) -> Iterator[tuple[int, str, Series | StudyError]]:
    """Finds the scans of a folder.

    Args:
        folder: Holds image files, NIfTI files, or DICOM files in any arrangement.
        cancel: Stops the search.

    Yields:
        The number of the scan within the folder, from 1; the name it has there without
        its suffix (empty for DICOM files that lie in the folder itself); and its series, or
        why there is none. Other files are passed over.

    Raises:
        Cancelled: If a stop was asked for.
    """
    number = 0
    loose = False
    for entry in visible(folder):
        if not (entry.is_dir() or entry.name.lower().endswith(_SUFFIXES)):
            loose = True
            continue
        try:
            found: tuple[Series | StudyError, ...] = open_study(entry, cancel=cancel).series
        except StudyError as error:
            found = (error,)
        for each in found:
            number += 1
            yield number, stem(entry), each
    if not loose:
        return
    try:
        series = open_study(folder, cancel=cancel).series
    except StudyError as error:
        if error.code is not Code.NO_IMAGES:
            yield number + 1, "", error
        return
    for each in series:
        if each.kind == "DICOM" and (each.source == folder or each.source.parent == folder):
            number += 1
            yield number, "", each


def stem(path: Path) -> str:
    """Returns the name of a scan or mask without suffix and without what marks a mask."""
    suffix = next((each for each in _SUFFIXES[::-1] if path.name.lower().endswith(each)), "")
    name = path.name if path.is_dir() else path.name[: len(path.name) - len(suffix)]
    return name.removesuffix(_MASK_ENDING)
