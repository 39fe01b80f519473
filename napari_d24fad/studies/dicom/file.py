"""Reads DICOM files that may come from anywhere, without taking more memory than they may."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filereader import read_dataset, read_preamble
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.files.bounded import BoundedFile, Deflated, Inflated
from napari_d24fad.studies.files.limits import limits

PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
"""Float Pixel Data, Double Float Pixel Data, Pixel Data."""

NOT_DICOM = "It is not a DICOM file."
"""What is said of a file of another kind."""


class NotDicomError(StudyError):
    """A file is of another kind: it may be a volume of another format."""


_META_GROUP = 0x0002
# Values beyond this are left in the file until somebody asks for them, as for none of those that
# pixels are decoded or placed with.
_LARGEST_VALUE = 2**24


def open_dicom(path: Path, pixels: int = 0) -> BoundedFile:
    """Opens a file to read a header, and perhaps its pixels.

    Args:
        path: The file.
        pixels: Bytes of its decoded pixels.
    """
    # Noise becomes a little longer by compression.
    return BoundedFile(path, limits().header + 2 * pixels)


def read_header(file: BoundedFile, tags: Sequence[int] | None = None, *, force: bool = True) -> FileDataset:
    """Reads the elements before the pixels.

    Args:
        file: A DICOM file, at its start; afterwards, unless it is deflated, at its pixels.
        tags: Only these are kept.
        force: Whether to read files without a preamble.

    Raises:
        StudyError: ``TOO_LARGE``, or ``NOT_AN_IMAGE`` if it is nested too deeply.
        Exception: Whatever pydicom and zlib raise on damaged files.
    """
    return _read(file, limits().header, force=force, whole=False, tags=None if tags is None else list(tags))


def read_meta(file: BoundedFile, *, force: bool = False) -> FileDataset:
    """Reads the preamble and the file meta information only.

    Args:
        file: A DICOM file, at its start; afterwards, at what follows.
        force: Whether to read files without a preamble.

    Raises:
        Exception: Whatever pydicom raises on damaged files.
    """
    preamble = read_preamble(file, force)
    meta = read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag.group != _META_GROUP)
    return FileDataset(file, Dataset(), preamble, FileMetaDataset(meta), False, True)


def read_all(path: Path, pixels: int) -> FileDataset:
    """Reads all elements of a file; large ones that are no pixels stay in the file.

    Args:
        path: The file.
        pixels: Bytes of its decoded pixels.

    Raises:
        StudyError: As `read_header`.
        Exception: Whatever pydicom and zlib raise on damaged files.
    """
    inflated = limits().header + pixels
    with open_dicom(path, pixels) as file:
        if file.length < 2 * pixels + _LARGEST_VALUE:
            return _read(file, inflated, force=True, whole=True)
        dataset = read_header(file)
        if is_deflated(dataset):
            return _read_deflated(file, inflated, force=True)
        implicit, little = (bool(each) for each in dataset.original_encoding)
        rest = read_dataset(file, implicit, little, specific_tags=[BaseTag(tag) for tag in PIXEL_TAGS])
        dataset.update(rest)
    return dataset


def is_deflated(dataset: Dataset) -> bool:
    """Whether the elements of a file were compressed together."""
    return bool(dataset.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian)


def _at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
    return tag in PIXEL_TAGS


def _read(
    file: BoundedFile, inflated: int, *, force: bool, whole: bool, tags: list[int] | None = None
) -> FileDataset:
    """Reads a file, or its elements before the pixels; inflates it up to a size if it is deflated."""
    try:
        return dcmread(
            file,
            defer_size=None if whole else _LARGEST_VALUE,
            stop_before_pixels=not whole,
            force=force,
            specific_tags=tags,
        )
    except Deflated:
        stop = None if whole else _at_pixels
        return _read_deflated(file, inflated, force=force, specific_tags=tags, stop_when=stop)
    except RecursionError:
        raise StudyError(Code.NOT_AN_IMAGE, "Its header is nested too deeply.") from None


def _read_deflated(file: BoundedFile, allowed: int, *, force: bool, **options: Any) -> FileDataset:
    """Reads a file whose elements are deflated, as `pydicom.dcmread` does but not all at once."""
    file.seek(0)
    whole = read_meta(file, force=force)
    dataset = read_dataset(cast(Any, Inflated(file, allowed)), False, True, **options)
    whole.update(dataset)
    whole.set_original_encoding(False, True, dataset._character_set)
    return whole
