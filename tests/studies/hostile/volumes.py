"""NIfTI files and pictures that claim, or expand to, more than a computer holds."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np

from napari_d24fad.errors import Code
from tests.studies.corpus.case import Case, Picture, Refused
from tests.studies.hostile.claims import MIB

_ONE, _TWO = nibabel.Nifti1Image, nibabel.Nifti2Image


def _nifti(name: str, kind: type = _ONE, extension: bytes = b"", **fields: object) -> Callable[[Path], Path]:
    """A small volume whose header says something else."""

    def build(folder: Path) -> Path:
        image = kind(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
        image.header["vox_offset"] = image.header.single_vox_offset
        header = image.header.copy()
        for field, value in fields.items():
            if isinstance(value, dict):
                for index, item in value.items():
                    header[field][index] = item
            else:
                header[field] = value
        content = header.binaryblock + (extension or bytes(4)) + np.arange(60, dtype=np.int16).tobytes()
        path = folder / name
        path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
        return path

    return build


def _longer_than_it_says(folder: Path) -> Path:
    """A small volume with 4 GB of zeros behind it."""
    path = _nifti("v.nii.gz")(folder)
    content = gzip.decompress(path.read_bytes())
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + start + block * 4096 + b"\x03\0" + bytes(8))
    return path


def _picture(columns: int, rows: int) -> Callable[[Path], Path]:
    """A PNG of one colour that says how large it is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    def build(folder: Path) -> Path:
        path = folder / "picture.png"
        header = chunk(b"IHDR", struct.pack(">LLBBBBB", columns, rows, 8, 0, 0, 0, 0))
        pixels = chunk(b"IDAT", zlib.compress(bytes(MIB)))
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b""))
        return path

    return build


def _tiff(side: int, next_page: int) -> Callable[[Path], Path]:
    """A TIFF of so many pixels, of which 64 are there, that says where its next page is."""
    entries = ((256, side), (257, side), (258, 8), (259, 1), (262, 1), (273, 98), (279, side * side % 2**32))
    table = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in entries)
    head = b"II*\0" + struct.pack("<LH", 8, len(entries))

    def build(folder: Path) -> Path:
        path = folder / "picture.tif"
        path.write_bytes(head + table + struct.pack("<L", next_page) + bytes(range(64)))
        return path

    return build


_LONG = {0: 3, 1: 32767, 2: 32767, 3: 32767}
_LONGER = {0: 3, 1: 2**40, 2: 2**40, 3: 2**40}
_SEVEN = {0: 7, **dict.fromkeys(range(1, 8), 32767)}

CASES = (
    Case("NIfTI, 32767 x 32767 x 32767 claimed", _nifti("v.nii", dim=_LONG), refused=Code.TOO_LARGE),
    Case("NIfTI, gzip, 32767 x 32767 x 32767 claimed", _nifti("v.nii.gz", dim=_LONG), refused=Code.TOO_LARGE),
    Case("NIfTI, seven dimensions of 32767", _nifti("v.nii", dim=_SEVEN), refused=Code.TOO_LARGE),
    Case(
        "NIfTI-2, 2^40 voxels along each axis",
        _nifti("v.nii", _TWO, dim=_LONGER),
        refused=Code.TOO_LARGE,
    ),
    Case(
        "NIfTI, gzip, 1 GiB claimed in a small file",
        _nifti("v.nii.gz", dim={1: 1024, 2: 1024, 3: 512}),
        refused=Code.TRUNCATED,
    ),
    Case("NIfTI, voxels far behind the header", _nifti("v.nii.gz", vox_offset=1e15), refused=Code.TOO_LARGE),
    Case(
        "NIfTI-2, voxels far behind the header",
        _nifti("v.nii.gz", _TWO, vox_offset=2**62),
        refused=Code.TOO_LARGE,
    ),
    Case(
        "NIfTI, voxels before the header",
        _nifti("v.nii", _TWO, vox_offset=-16),
        refused=Code.NOT_AN_IMAGE,
    ),
    Case(
        "NIfTI, an extension that claims 2 GB",
        _nifti("v.nii.gz", extension=b"\1\0\0\0" + struct.pack("<ll", 2**31 - 16, 6), vox_offset=2**20),
        refused=Code.NOT_AN_IMAGE,
    ),
    Case("NIfTI, gzip with 4 GB behind its voxels", _longer_than_it_says, (Refused(Code.TOO_LARGE),)),
    Case("PNG of 60000 x 60000 pixels", _picture(60000, 60000), refused=Code.TOO_LARGE),
    Case("PNG of 2^31 pixels in a row", _picture(2**31 - 1, 1), refused=Code.TOO_LARGE),
    Case(
        "PNG of 13000 x 13000 pixels that are not there",
        _picture(13000, 13000),
        (Refused(Code.TRUNCATED),),
    ),
    Case("TIFF of 100000 x 100000 pixels", _tiff(100000, 0), refused=Code.TOO_LARGE),
    Case("TIFF whose pages go in a circle", _tiff(8, 8), (Picture(np.arange(64).reshape(8, 8)),)),
)
