"""Folders with what is no file, and names that lead out of them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import even, positions, slices, volume
from tests.studies.corpus.case import Case

_PLACE = volume(tolerance=0.51)


def _among(folder: Path) -> None:
    """A study among pipes, links in a circle, and links to devices."""
    phantom.write_series(folder, slices(positions(even())))
    os.mkfifo(folder / "pipe.dcm")
    os.mkfifo(folder / "pipe.nii.gz")
    (folder / "zero.dcm").symlink_to("/dev/zero")
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "itself.dcm").symlink_to(folder / "itself.dcm")
    (folder / "nothing.dcm").symlink_to(folder / "absent")
    (folder / "circle").symlink_to(folder, target_is_directory=True)
    (folder / "root").symlink_to("/", target_is_directory=True)


def _pipe(name: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        os.mkfifo(folder / name)
        return folder / name

    return build


def _linked(target: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        (folder / "image.dcm").symlink_to(target)
        return folder / "image.dcm"

    return build


def _dicomdir(*names: list[str]) -> Callable[[Path], Path]:
    """A study with a DICOMDIR that lists its files, and others; a secret lies beside the folder."""

    def build(folder: Path) -> Path:
        files = phantom.write_series(folder / "disc", slices(positions(even())), name="IM{}".format)
        phantom.write_series(
            folder / "secret", slices(positions(even()), series_uid="2.25.5"), name="IM{}".format
        )
        listed = [[file.name] for file in files] + [[str(folder / "secret" / "IM0")], *names]
        directory = Dataset()
        directory.file_meta = FileMetaDataset()
        directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
        directory.file_meta.MediaStorageSOPInstanceUID = "2.25.6"
        directory.DirectoryRecordSequence = [_record(name) for name in listed]
        path = folder / "disc" / "DICOMDIR"
        directory.save_as(path, enforce_file_format=True)
        return path

    return build


def _record(name: list[str]) -> Dataset:
    record = Dataset()
    record.DirectoryRecordType = "IMAGE"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom knows that these are no proper names
        record.ReferencedFileID = name
    return record


_SPECIAL_FILES = (
    Case("pipes, devices and links in a circle beside a study", _among, (_PLACE,)),
    Case("a pipe", _pipe("image.dcm"), refused=Code.PATH_UNREADABLE),
    Case("a pipe that is called a volume", _pipe("image.nii.gz"), refused=Code.PATH_UNREADABLE),
    Case("a pipe that is called an archive", _pipe("study.zip"), refused=Code.PATH_UNREADABLE),
    Case("a device", lambda folder: Path("/dev/zero"), refused=Code.PATH_UNREADABLE),
    Case("a link to a device", _linked("/dev/zero"), refused=Code.PATH_UNREADABLE),
)

CASES = (
    *(_SPECIAL_FILES if hasattr(os, "mkfifo") else ()),
    Case("a link to itself", _linked("image.dcm"), refused=Code.PATH_MISSING),
    Case(
        "DICOMDIR with names that lead out of its folder",
        _dicomdir(
            ["..", "secret", "IM0"], ["IM0"], ["A" * 3000], ["A\0B"], ["..", "..", "..", "dev", "zero"]
        ),
        (_PLACE,),
        problems=(Code.PATH_UNREADABLE, Code.PATH_MISSING),
    ),
)
