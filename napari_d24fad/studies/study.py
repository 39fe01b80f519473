"""Opens a study: finds every series in a folder or file by its headers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.studies.dicom.directory import is_dicomdir, listed_files
from napari_d24fad.studies.dicom.header import Instance, read_instance
from napari_d24fad.studies.dicom.series import dicom_series
from napari_d24fad.studies.files.archive import is_archive, unpack
from napari_d24fad.studies.files.bounded import is_file
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.files.scratch import ScratchFolder
from napari_d24fad.studies.identity import with_identity
from napari_d24fad.studies.nifti.series import NIFTI_SUFFIXES, nifti_series
from napari_d24fad.studies.pictures import IMAGE_SUFFIXES, image_series
from napari_d24fad.studies.scan import Problem
from napari_d24fad.studies.series import Series


@dataclass(frozen=True, slots=True)
class Study:
    """What was found at one location.

    Attributes:
        series: The series, each known by its header only: DICOM by series number, then
            other files by name.
        problems: What concerns no single series, such as files that were left out.
    """

    series: tuple[Series, ...]
    problems: tuple[Problem, ...] = ()


def open_study(
    path: str | os.PathLike[str],
    *,
    show_identity: bool = False,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Study:
    """Finds the series at a location; reads headers only.

    Args:
        path: A folder (searched with its sub-folders, any mix of files), a DICOM file,
            a DICOMDIR (stands for the files that it lists), a NIfTI file, a PNG, JPEG or TIFF
            image, or a zip archive of any of these.
        show_identity: Whether descriptions of series name the patient, or the file.
        progress: Told how far the search is.
        cancel: Stops the search.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``, ``NO_IMAGES``, or for a single
            file or an archive the reason why it cannot be read.
        Cancelled: If a stop was asked for.
    """
    found = _found(Path(path), progress, cancel or CancelToken())
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
    found = _study(list(files), [], progress, cancel or CancelToken())
    return _identified(found) if show_identity else found


def is_whole_scan(file: Path) -> bool:
    """Whether a file is a scan of its own by its name, NIfTI or an image, and no slice of a series."""
    return file.name.lower().endswith((*NIFTI_SUFFIXES, *IMAGE_SUFFIXES))


def _identified(found: Study) -> Study:
    return Study(tuple(with_identity(series) for series in found.series), found.problems)


def _found(location: Path, progress: Progress, cancel: CancelToken) -> Study:
    """Finds the series at a location; see `open_study`."""
    try:
        if not location.exists():
            raise StudyError(Code.PATH_MISSING)
        if not location.is_dir():
            return _open_file(location, progress, cancel)
    except OSError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    return _open_folder(location, progress, cancel)


def _open_file(location: Path, progress: Progress, cancel: CancelToken) -> Study:
    if not is_file(location):
        raise StudyError(Code.PATH_UNREADABLE, "It is a pipe or a device, not a file.")
    if is_archive(location):
        return _open_archive(location, progress, cancel)
    if is_dicomdir(location):
        return _study(*listed_files(location), progress, cancel)
    return Study(_series_of([location], progress, cancel, _refuse))


def _open_archive(location: Path, progress: Progress, cancel: CancelToken) -> Study:
    """Opens what an archive holds; its unpacked files stay as long as one of its series does."""
    scratch = unpack(location, part(progress, 0, 0.5), cancel)
    try:
        study = _open_folder(scratch.path, part(progress, 0.5, 1), cancel)
    except BaseException:
        scratch.remove()
        raise
    return replace(study, series=tuple(_holding(scratch, one) for one in study.series))


def _holding(scratch: ScratchFolder, series: Series) -> Series:
    remedy = None if series.remedy is None else _holding(scratch, series.remedy)
    return replace(series, remedy=remedy, holds=scratch)


def _open_folder(location: Path, progress: Progress, cancel: CancelToken) -> Study:
    unreadable: list[OSError] = []
    files = list(_files_in(location, unreadable, cancel))
    if unreadable and not files:
        raise StudyError(Code.PATH_UNREADABLE)
    return _study(files, [StudyError(Code.PATH_UNREADABLE) for _ in unreadable], progress, cancel)


def _study(files: list[Path], left_out: list[StudyError], progress: Progress, cancel: CancelToken) -> Study:
    """Reads the headers of files; what is wrong with some of them joins what was left out."""
    series = _series_of(files, progress, cancel, left_out.append)
    problems = tuple(_summary(left_out))
    if not series:
        raise StudyError(Code.NO_IMAGES, " ".join(problem.detail for problem in problems))
    return Study(series, problems)


def _files_in(folder: Path, unreadable: list[OSError], cancel: CancelToken) -> Iterable[Path]:
    """Yields the files of a folder and its sub-folders in a stable order, hidden ones excepted."""
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        cancel.check()
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
        # Reading a pipe or a device could wait for ever.
        yield from (path for path in paths if is_file(path))


def _series_of(
    files: list[Path], progress: Progress, cancel: CancelToken, leave_out: Callable[[StudyError], None]
) -> tuple[Series, ...]:
    instances: list[Instance] = []
    others: list[Series] = []
    with quiet():  # once: silencing the libraries for each file takes a tenth of the time
        for index, file in enumerate(files):
            cancel.check()
            progress(index / len(files), "Reading headers")
            name = file.name.lower()
            try:
                if name.endswith(NIFTI_SUFFIXES):
                    others += nifti_series(file)
                elif name.endswith(IMAGE_SUFFIXES):
                    others.append(image_series(file))
                else:
                    instances.append(read_instance(file))
            except StudyError as error:
                # A new one: where it was raised would keep alive whatever was at hand there.
                leave_out(StudyError(error.code, error.detail))
    series = (*dicom_series(instances), *others)
    progress(1.0, "Reading headers")
    return series


def _refuse(error: StudyError) -> None:
    raise error from None


def _summary(left_out: list[StudyError]) -> Iterable[Problem]:
    """Yields one problem for each reason why files were left out, with their number."""
    for (code, detail), count in Counter((error.code, error.detail) for error in left_out).items():
        skipped = Code.FILE_SKIPPED if code is Code.NOT_AN_IMAGE else code
        files = "1 file" if count == 1 else f"{count} files"
        yield Problem(skipped, f"{files}: {detail or code.meaning}")
