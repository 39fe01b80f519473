"""Opens a study: finds every series in a folder or file by its headers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from napari_d24fad.errors import ArgumentError, Code, StudyError
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.studies.dicom.directory import Listed, is_dicomdir, listed_files
from napari_d24fad.studies.files.archive import is_archive, unpack
from napari_d24fad.studies.files.bounded import is_file
from napari_d24fad.studies.files.scratch import ScratchFolder
from napari_d24fad.studies.identity import with_identity
from napari_d24fad.studies.left_out import LeftOut
from napari_d24fad.studies.listing import VOLUME_SUFFIXES, Early, Refusing, find_series
from napari_d24fad.studies.nifti.files import is_piece
from napari_d24fad.studies.pictures import IMAGE_SUFFIXES
from napari_d24fad.studies.scan import Problem
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.volumes import summary, together


@dataclass(frozen=True, slots=True)
class Study:
    """What was found at one location.

    Attributes:
        series: The series, each known by its header only: DICOM by series number, or as a DICOMDIR
            lists them, then other files by name. Several volumes of one series are one each; see `rows`.
        problems: What concerns no single series, such as files that were left out.
    """

    series: tuple[Series, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def rows(self) -> tuple[tuple[Series, ...], ...]:
        """The series as a list shows them: all volumes of one series or file are one row."""
        return together(self.series)

    def rows_to_load(self, *, resample: bool) -> list[list[Series]]:
        """Returns the rows; with ``resample``, each series that has a `Series.remedy` is replaced by it."""
        return [[each.remedy if resample and each.remedy else each for each in row] for row in self.rows]


def chosen(row: Sequence[Series], volume: int | None) -> Series:
    """Returns one volume of a row of `Study.rows`.

    Args:
        row: The volumes of one series, or the series alone.
        volume: Which volume, from 1; None for the only one.

    Raises:
        StudyError: ``SEVERAL_SERIES`` if there are several volumes and none was named.
        ArgumentError: There is no volume of this number.
    """
    if volume is None and len(row) > 1:
        raise StudyError(Code.SEVERAL_SERIES, f"It holds {summary(row)}; name one with --volume.")
    if volume is not None and not 1 <= volume <= len(row):
        raise ArgumentError(Code.BAD_ARGUMENT, f"There is no volume {volume}; there are {len(row)}.")
    return row[(volume or 1) - 1]


def open_study(
    path: str | os.PathLike[str],
    *,
    show_identity: bool = False,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    early: Early | None = None,
) -> Study:
    """Finds the series at a location; reads headers only.

    Args:
        path: A folder (searched with its sub-folders, any mix of files), a DICOM file,
            a DICOMDIR (stands for the files that it lists), a file of NIfTI, Analyze, FreeSurfer, NRRD
            or MetaImage, a PNG, JPEG or TIFF image, or a zip archive of any of these.
        show_identity: Whether descriptions of series name the patient, or the file.
        progress: Told how far the search is.
        cancel: Stops the search.
        early: Given the first series of a large folder while the search goes on, so that they can be
            shown; `open_study` returns all of them, made anew.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``, ``NO_IMAGES``, or for a single
            file or an archive the reason why it cannot be read.
        Cancelled: If a stop was asked for.
    """
    shown = early
    if early is not None and show_identity:
        shown = lambda series: early(tuple(map(with_identity, series)))  # noqa: E731 - named nowhere else
    found = _found(Path(path), progress, cancel or CancelToken(), shown)
    return _identified(found) if show_identity else found


def open_scans(
    files: Sequence[Path],
    *,
    show_identity: bool = False,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Study:
    """Opens files that are a scan each, see `is_whole_scan`; those that cannot be read are left out.

    Args:
        files: NIfTI files and images.
        show_identity: See `open_study`.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        StudyError: ``NO_IMAGES`` if none can be read.
        Cancelled: If a stop was asked for.
    """
    found = _study(list(files), LeftOut(), progress, cancel or CancelToken())
    return _identified(found) if show_identity else found


def is_whole_scan(file: Path) -> bool:
    """Whether a file is a scan of its own by its name, a volume or a picture, and no slice of a series."""
    name = file.name.lower()
    return name.endswith((*VOLUME_SUFFIXES, *IMAGE_SUFFIXES)) or is_piece(file)


def _identified(found: Study) -> Study:
    return Study(tuple(with_identity(series) for series in found.series), found.problems)


def _found(location: Path, progress: Progress, cancel: CancelToken, early: Early | None) -> Study:
    """Finds the series at a location; see `open_study`."""
    try:
        if not location.exists():
            raise StudyError(Code.PATH_MISSING)
        if not location.is_dir():
            return _open_file(location, progress, cancel, early)
    except OSError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    return _open_folder(location, progress, cancel, early)


def _open_file(location: Path, progress: Progress, cancel: CancelToken, early: Early | None) -> Study:
    if not is_file(location):
        raise StudyError(Code.PATH_UNREADABLE, "It is a pipe or a device, not a file.")
    if is_archive(location):
        return _open_archive(location, progress, cancel)
    if is_dicomdir(location):
        return _of_disc(listed_files(location), [], LeftOut(), progress, cancel, early)
    return Study(find_series([location], Refusing(), progress, cancel))


def _open_archive(location: Path, progress: Progress, cancel: CancelToken) -> Study:
    """Opens what an archive holds; its unpacked files stay as long as one of its series does."""
    scratch = unpack(location, part(progress, 0, 0.5), cancel)
    try:
        study = _open_unpacked(scratch, part(progress, 0.5, 1), cancel)
    except BaseException:
        scratch.remove()
        raise
    return replace(study, series=tuple(_holding(scratch, one) for one in study.series))


def _open_unpacked(scratch: ScratchFolder, progress: Progress, cancel: CancelToken) -> Study:
    """Opens the files of an archive, those of a disc in the order of its DICOMDIR."""
    names, scratch.names = scratch.names, {}  # they may be the names of patients
    directories = (name for name in names if PurePosixPath(name).name.upper() == "DICOMDIR")
    directory = next((name for name in directories if is_dicomdir(names[name])), None)
    if directory is None:
        return _open_folder(scratch.path, progress, cancel)
    root, files = PurePosixPath(directory).parent, {name.lower(): file for name, file in names.items()}
    listed = listed_files(names[directory], lambda parts: files.get(str(root.joinpath(*parts)).lower()))
    beside = [file for name, file in names.items() if name != directory]
    return _of_disc(listed, beside, LeftOut(), progress, cancel, None)


def _holding(scratch: ScratchFolder, series: Series) -> Series:
    remedy = None if series.remedy is None else _holding(scratch, series.remedy)
    return replace(series, remedy=remedy, holds=scratch)


def _open_folder(
    location: Path, progress: Progress, cancel: CancelToken, early: Early | None = None
) -> Study:
    unreadable: list[OSError] = []
    files = list(_files_in(location, unreadable, cancel))
    if unreadable and not files:
        raise StudyError(Code.PATH_UNREADABLE)
    left_out = LeftOut()
    for _ in unreadable:
        left_out.refuse(StudyError(Code.PATH_UNREADABLE))
    directory = next((file for file in files if _is_directory_of(location, file)), None)
    if directory is None:
        return _study(files, left_out, progress, cancel, early=early)
    beside = [file for file in files if file != directory]
    return _of_disc(listed_files(directory), beside, left_out, progress, cancel, early)


def _is_directory_of(folder: Path, file: Path) -> bool:
    return file.parent == folder and file.name.upper() == "DICOMDIR" and is_dicomdir(file)


def _of_disc(
    listed: Listed,
    beside: Sequence[Path],
    left_out: LeftOut,
    progress: Progress,
    cancel: CancelToken,
    early: Early | None,
) -> Study:
    """Opens what a DICOMDIR lists, in its order, and then other files that lie beside it."""
    for error in listed.left_out:
        left_out.refuse(error)
    files = [*listed.patients, *(file for file in beside if file not in listed.patients)]
    return _study(files, left_out, progress, cancel, listed=listed.patients, early=early)


def _study(
    files: Sequence[Path],
    left_out: LeftOut,
    progress: Progress,
    cancel: CancelToken,
    *,
    listed: Mapping[Path, str] = MappingProxyType({}),
    early: Early | None = None,
) -> Study:
    """Reads the headers of files; what is wrong with some of them joins what was left out.

    Args:
        files: The files.
        left_out: What was left out before.
        progress: Told how far it is.
        cancel: Stops it.
        listed: Files whose series come first, in this order, with the patients that a DICOMDIR states.
        early: See `open_study`.
    """
    series = find_series(files, left_out, progress, cancel, early, listed)
    problems = tuple(left_out.problems())
    if not series:
        raise StudyError(Code.NO_IMAGES, " ".join(problem.detail for problem in problems))
    places = {file: place for place, file in enumerate(listed)}
    first = {one: min((places.get(file, len(places)) for file in one.files), default=0) for one in series}
    return Study(tuple(sorted(series, key=lambda one: first[one])), problems)


def _files_in(folder: Path, unreadable: list[OSError], cancel: CancelToken) -> Iterable[Path]:
    """Yields the files of a folder and its sub-folders in a stable order, hidden ones excepted."""
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        cancel.check()
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
        # Reading a pipe or a device could wait for ever.
        yield from (path for path in paths if is_file(path))
