"""DICOM files that claim, or expand to, more than a computer holds."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, SecondaryCaptureImageStorage

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import changed, even, positions, slices, volume, written
from tests.studies.corpus.case import Case, Picture, Refused

MIB = 2**20
VALUES = np.arange(48, dtype=np.int16).reshape(6, 8)


def one(change: Callable[[Dataset], object] = lambda dataset: None) -> Dataset:
    """A small image without a place in the patient, changed by a function."""
    dataset = phantom.image_dataset(VALUES, sop_class=SecondaryCaptureImageStorage, modality="OT")
    dataset.BurnedInAnnotation = "NO"
    change(dataset)
    return dataset


def saved(change: Callable[[Dataset], object]) -> Callable[[Path], Path]:
    """Writes such an image."""
    return lambda folder: phantom.save(one(change), folder / "image.dcm")


def _frames(rows: int, columns: int, frames: int) -> Callable[[Path], Path]:
    def change(dataset: Dataset) -> None:
        dataset.Rows, dataset.Columns, dataset.NumberOfFrames = rows, columns, frames

    return saved(change)


def _part(content: bytes) -> bytes:
    """A part of a deflate stream that can be put between others."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)


def _zeros(mib: int) -> bytes:
    return _part(bytes(MIB)) * mib


def _deflated(header: int, pixels: int) -> Callable[[Path], Path]:
    """A deflated file with so many MiB in a private element, and behind its pixels."""

    def build(folder: Path) -> Path:
        dataset = one()
        plain = io.BytesIO()
        dataset.save_as(plain, enforce_file_format=True)
        content = plain.getvalue()[_meta_end(plain.getvalue()) :]
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        packed = io.BytesIO()
        dataset.save_as(packed, enforce_file_format=True)
        meta = packed.getvalue()[: _meta_end(packed.getvalue())]
        at = content.index(b"\xe0\x7f\x10\x00")
        before = content[:at] + b"\x09\x00\x10\x10OB\0\0" + (header * MIB).to_bytes(4, "little")
        size = (pixels * MIB + 96).to_bytes(4, "little")
        behind = content[at : at + 8] + size + content[at + 12 :]
        parts = [_part(before), _zeros(header), _part(behind), _zeros(pixels)]
        path = folder / "image.dcm"
        path.write_bytes(meta + b"".join(parts) + b"\x03\x00")
        return path

    return build


def _meta_end(content: bytes) -> int:
    """Where the file meta information ends, which states its length."""
    return 144 + int.from_bytes(content[140:144], "little")


def _claimed_length(folder: Path) -> Path:
    path = saved(lambda dataset: None)(folder)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"\xe0\x7f\x10\x00")
    content[at + 8 : at + 12] = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(content)
    return path


def _many_large(folder: Path) -> None:
    """Six slices that are small enough each; their pixels lie in holes that take no room on the disk."""
    for dataset in slices(positions(even(6))):
        dataset.Rows = dataset.Columns = 20000
        path = phantom.save(dataset, folder / f"{dataset.InstanceNumber}.dcm")
        content = path.read_bytes()
        at = content.rindex(b"\xe0\x7f\x10\x00")
        with path.open("r+b") as file:
            file.seek(at + 8)
            file.write((20000 * 20000 * 2).to_bytes(4, "little"))
            file.truncate(at + 12 + 20000 * 20000 * 2)


def _one_replaced(dataset: Dataset, index: int) -> None:
    if index == 7:
        dataset.Rows = dataset.Columns = 65535


CASES = (
    Case("65535 x 65535 x 2000 claimed", _frames(65535, 65535, 2000), refused=Code.TOO_LARGE),
    Case("65535 x 65535 in one frame", _frames(65535, 65535, 1), refused=Code.TOO_LARGE),
    Case("ten million frames", _frames(512, 512, 10**7), refused=Code.TOO_LARGE),
    Case("ten million frames of six pixels", _frames(2, 3, 10**7), (Refused(Code.FILM),)),
    Case("two thousand million frames", _frames(6, 8, 2**31 - 1), refused=Code.TOO_LARGE),
    # What follows the length are all pixels of the image.
    Case("pixels that claim 4 GB", _claimed_length, (Picture(VALUES),)),
    Case(
        "values of 65535 bits",
        saved(lambda dataset: setattr(dataset, "BitsAllocated", 65535)),
        refused=Code.UNSUPPORTED_PIXELS,
    ),
    Case(
        "65535 samples in a pixel",
        saved(lambda dataset: setattr(dataset, "SamplesPerPixel", 65535)),
        (Refused(Code.CONTRADICTORY_PIXELS),),
    ),
    Case("slices too large together", _many_large, (Refused(Code.TOO_LARGE, "8.9 GiB"),)),
    Case(
        "a slice that claims to be huge among others",
        written(changed(_one_replaced)),
        (volume(places=positions(even(7))),),
        problems=(Code.TOO_LARGE,),
    ),
    Case("deflated, 2 GB in its header", _deflated(2048, 0), refused=Code.TOO_LARGE),
    Case("deflated, 2 GB of pixels", _deflated(0, 2048), (Refused(Code.TOO_LARGE),)),
)
