"""DICOMDIR: the table of contents of a DICOM disc, opened in place of its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import MediaStorageDirectoryStorage

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.file import open_dicom, read_header, read_meta
from napari_d24fad.studies.dicom.subject import patient_key
from napari_d24fad.studies.dicom.values import number, text
from napari_d24fad.studies.files.bounded import is_file
from napari_d24fad.studies.files.quiet import quiet

_RECORDS, _FIRST = "DirectoryRecordSequence", "OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity"
_NEXT, _LOWER = "OffsetOfTheNextDirectoryRecord", "OffsetOfReferencedLowerLevelDirectoryEntity"


def is_dicomdir(path: Path) -> bool:
    """Whether a file is the directory of a disc, by what it says and not by its name."""
    try:
        with quiet(), open_dicom(path) as file:
            meta = read_meta(file).file_meta
            return bool(meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage)
    except Exception:
        # pydicom raises whatever a file that is no DICOM file makes it stumble over.
        return False


@dataclass(frozen=True, slots=True)
class Listed:
    """What a DICOMDIR lists.

    Attributes:
        patients: The files that are there, in the order of the records, each with the key of its patient
            (see `patient_key`); empty where the records do not tell.
        left_out: What is wrong with others: ``PATH_MISSING``, or ``PATH_UNREADABLE`` for names that lead
            out of the folder.
    """

    patients: dict[Path, str] = field(repr=False)
    left_out: tuple[StudyError, ...] = ()


def listed_files(path: Path, unpacked: Callable[[Sequence[str]], Path | None] | None = None) -> Listed:
    """Reads which images a DICOMDIR lists, and of whom.

    Args:
        path: The DICOMDIR.
        unpacked: Returns where a file is, by the components of its listed name, if the disc came in an
            archive; None if it is not there.

    Raises:
        StudyError: ``TRUNCATED`` if its records cannot be read.
    """
    patients: dict[Path, str] = {}
    left_out: list[StudyError] = []
    try:
        with quiet():
            names = dict(_names(path))  # the same file again would only be read again
    except Exception:
        # Records of a damaged DICOMDIR break pydicom in many ways.
        raise StudyError(Code.TRUNCATED, "Its records are damaged.") from None
    folder = path.parent.resolve()
    for name, patient in names.items():
        file = _found(folder, path.parent, name) if unpacked is None else unpacked(name)
        if file is None:
            left_out.append(_absent())
        elif not _inside(folder, file):
            left_out.append(StudyError(Code.PATH_UNREADABLE, "The DICOMDIR lists it outside of its folder."))
        elif not is_file(file):
            left_out.append(_absent())
        else:
            patients[file] = patient
    return Listed(patients, tuple(left_out))


def _absent() -> StudyError:
    return StudyError(Code.PATH_MISSING, "The DICOMDIR lists it, but it is not there.")


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


def _names(path: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields the path components of Referenced File ID (0004,1500) of each record, and the patient's key."""
    with open_dicom(path) as file:
        directory = read_header(file, [Tag(name) for name in (_RECORDS, _FIRST)], force=False)
    records = list(directory.get(_RECORDS, ()))
    patients = _patients(records, directory)
    for at, record in enumerate(records):
        name = text(record, "ReferencedFileID")
        if name:
            yield tuple(name.split("\\")), patients.get(at, "")


def _patients(records: Sequence[Dataset], directory: Dataset) -> dict[int, str]:
    """Follows the records from patients down; records that none leads to have no patient.

    Returns:
        The key of the patient of each record, by its place in the sequence.
    """
    places = {getattr(record, "seq_item_tell", -at): at for at, record in enumerate(records)}
    found: dict[int, str] = {}
    waiting = [(int(number(directory, _FIRST) or 0), "")]
    while waiting:
        offset, patient = waiting.pop()
        at = places.get(offset)
        if at is None or at in found:  # the end of a list, or a circle
            continue
        record = records[at]
        own = patient_key(record) if text(record, "DirectoryRecordType") == "PATIENT" else patient
        found[at] = own
        for name, key in ((_NEXT, patient), (_LOWER, own)):
            waiting.append((int(number(record, name) or 0), key))
    return found
