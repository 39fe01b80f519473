"""DICOM headers that exhaust a parser, run as a program, or name files."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from pathlib import Path

from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import even, positions
from tests.studies.corpus.case import Case, Picture, Refused
from tests.studies.corpus.multiframe import enhanced
from tests.studies.hostile.claims import MIB, VALUES, one, saved

_PIXELS = b"\xe0\x7f\x10\x00"
_UNDEFINED = 0xFFFFFFFF
_SEQUENCE, _ITEM = b"\x40\x00\x75\x02SQ\0\0", b"\xfe\xff\x00\xe0"


def _before_pixels(insert: bytes, dataset: Dataset | None = None) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        path = phantom.save(dataset or one(), folder / "image.dcm")
        content = path.read_bytes()
        at = content.rindex(_PIXELS)
        path.write_bytes(content[:at] + insert + content[at:])
        return path

    return build


def _nested(depth: int) -> bytes:
    opened = (_SEQUENCE + struct.pack("<L", _UNDEFINED) + _ITEM + struct.pack("<L", _UNDEFINED)) * depth
    return opened + b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" * depth


def _nested_with_lengths(depth: int) -> bytes:
    nested = b""
    for _ in range(depth):
        nested = _ITEM + struct.pack("<L", len(nested)) + nested
        nested = _SEQUENCE + struct.pack("<L", len(nested)) + nested
    return nested


def _huge_private(folder: Path) -> Path:
    """A private element of 3 GB, in a hole that takes no room on the disk."""
    path = phantom.save(one(), folder / "image.dcm")
    content = path.read_bytes()
    at, size = content.rindex(_PIXELS), 3 * 1024 * MIB
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\x41\x00\x10\x10OB\0\0" + struct.pack("<L", size))
        file.seek(size, 1)
        file.write(content[at:])
    return path


def _program(start: bytes) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        path = phantom.save(one(), folder / "image.dcm")
        path.write_bytes(start.ljust(128, b"\x90") + path.read_bytes()[128:])
        return path

    return build


def _climbing(folder: Path) -> Path:
    dataset = one()
    climbing = "1.2/../../../../etc/passwd"
    for name in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"):
        dataset[name] = DataElement(name, "UI", climbing, validation_mode=IGNORE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom knows that these are no identifiers
        return phantom.save(dataset, folder / "image.dcm")


def _half_a_rescale(dataset: Dataset) -> None:
    dataset.RescaleSlope = "2"


_RIGHT = Picture(VALUES)
_WARNED = Picture(VALUES, (Code.ALSO_A_PROGRAM,))

CASES = (
    Case("sequences 5000 deep", _before_pixels(_nested(5000)), refused=Code.NOT_AN_IMAGE),
    # Their lengths are stated, so they can be passed over.
    Case("sequences 5000 deep with lengths", _before_pixels(_nested_with_lengths(5000)), (_RIGHT,)),
    Case(
        "sequences 5000 deep in a file of several frames",
        _before_pixels(_nested(5000), enhanced(positions(even(3)))),
        refused=Code.NOT_AN_IMAGE,
    ),
    Case(
        "five million empty items",
        _before_pixels(_SEQUENCE + struct.pack("<L", _UNDEFINED) + (_ITEM + bytes(4)) * 5_000_000),
        refused=Code.TOO_LARGE,
    ),
    Case("a private element of 3 GB", _huge_private, (_RIGHT,)),
    Case("a program of Windows in the preamble", _program(b"MZ\x90"), (_WARNED,)),
    Case("a program of Linux in the preamble", _program(b"\x7fELF"), (_WARNED,)),
    # TIFF readers know such files; they are no programs.
    Case("a TIFF header in the preamble", _program(b"II*\0"), (_RIGHT,)),
    Case(
        "a slope without an intercept", saved(_half_a_rescale), (Refused(Code.CONTRADICTORY_PIXELS, "half"),)
    ),
    Case("identifiers that climb out of folders", _climbing, (_RIGHT,)),
    Case(
        "a length of 4 GB in the header",
        _before_pixels(b"\x41\x00\x10\x10OB\0\0" + struct.pack("<L", 0xFFFFFFF0)),
        refused=Code.TRUNCATED,
    ),
)
