"""DICOMDIR: the table of contents of a DICOM disc, opened in place of its folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydicom.tag import Tag
from pydicom.uid import MediaStorageDirectoryStorage

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.file import open_dicom, read_header, read_meta
from napari_d24fad.studies.dicom.values import text
from napari_d24fad.studies.files.bounded import is_file
from napari_d24fad.studies.files.quiet import quiet


def is_dicomdir(path: Path) -> bool:
    """Whether a file is the directory of a disc, by what it says and not by its name."""
    try:
        with quiet(), open_dicom(path) as file:
            meta = read_meta(file).file_meta
            return bool(meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage)
    except Exception:
        # pydicom raises whatever a file that is no DICOM file makes it stumble over.
        return False


def listed_files(path: Path) -> tuple[list[Path], list[StudyError]]:
    """Reads which images a DICOMDIR lists.

    Args:
        path: The DICOMDIR.

    Returns:
        The files that are there, in the order of the records; and what is wrong with others:
        ``PATH_MISSING``, or ``PATH_UNREADABLE`` for names that lead out of the folder.

    Raises:
        StudyError: ``TRUNCATED`` if its records cannot be read.
    """
    files: list[Path] = []
    left_out: list[StudyError] = []
    try:
        with quiet():
            names = list(_names(path))
    except Exception:
        # Records of a damaged DICOMDIR break pydicom in many ways.
        raise StudyError(Code.TRUNCATED, "Its records are damaged.") from None
    folder = path.parent.resolve()
    # The same file again would only be read again.
    for name in dict.fromkeys(names):
        file = _found(folder, path.parent, name)
        if not _inside(folder, file):
            left_out.append(StudyError(Code.PATH_UNREADABLE, "The DICOMDIR lists it outside of its folder."))
        elif not is_file(file):
            left_out.append(StudyError(Code.PATH_MISSING, "The DICOMDIR lists it, but it is not there."))
        else:
            files.append(file)
    return files, left_out


def _found(folder: Path, shown: Path, name: tuple[str, ...]) -> Path:
    """Returns where a listed file is: systems other than Windows show the names of a disc in small letters.

    Args:
        folder: That of the DICOMDIR, resolved.
        shown: The same as it was opened.
        name: The components of the listed name.
    """
    file = shown.joinpath(*name)
    if is_file(file) or not _inside(folder, folder.joinpath(*name)):
        return file
    small = shown.joinpath(*(part.lower() for part in name))
    return small if is_file(small) else file


def _inside(folder: Path, file: Path) -> bool:
    try:
        return file.resolve().is_relative_to(folder)
    except (OSError, ValueError, RuntimeError):  # links in a circle, or a name that cannot be one
        return False


def _names(path: Path) -> Iterator[tuple[str, ...]]:
    """Yields the path components of Referenced File ID (0004,1500) of each record."""
    with open_dicom(path) as file:
        directory = read_header(file, [Tag("DirectoryRecordSequence")], force=False)
    for record in directory.get("DirectoryRecordSequence", ()):
        name = text(record, "ReferencedFileID")
        if name:
            yield tuple(name.split("\\"))
