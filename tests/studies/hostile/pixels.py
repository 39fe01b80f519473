"""Compressed pixels that break their decoders, or that claim more than the header does."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from imagecodecs import jpeg8_encode
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import even, positions
from tests.studies.corpus.case import Case, Refused
from tests.studies.corpus.multiframe import enhanced
from tests.studies.hostile.claims import one

_PIXELS = np.random.default_rng(8).integers(0, 255, (64, 48), dtype=np.uint8)
_SIZE = (20000).to_bytes(4, "big")

Change = Callable[[bytes], bytes]


def _image(syntax: UID, change: Change, pixels: np.ndarray = _PIXELS) -> Callable[[Path], Path]:
    """An image whose only compressed frame is changed."""

    def build(folder: Path) -> Path:
        dataset = one()
        dataset.Rows, dataset.Columns = pixels.shape
        dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.itemsize
        dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
        dataset.PixelData = pixels.tobytes()
        if syntax == JPEGBaseline8Bit:
            picture = io.BytesIO()
            Image.fromarray(pixels).save(picture, "JPEG")
            _encapsulate(dataset, syntax, [picture.getvalue()])
        elif syntax == JPEGLosslessSV1:
            _encapsulate(dataset, syntax, [jpeg8_encode(pixels, lossless=True)])
        else:
            dataset.compress(syntax, generate_instance_uid=False)
        (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
        _encapsulate(dataset, syntax, [change(frame)])
        return phantom.save(dataset, folder / "image.dcm")

    return build


def _encapsulate(dataset: Dataset, syntax: UID, coded: list[bytes]) -> None:
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate(coded)
    dataset["PixelData"].VR = "OB"


def _one_frame_bad(folder: Path) -> Path:
    dataset = enhanced(positions(even(3)), shape=(64, 48))
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    coded = list(generate_frames(dataset.PixelData, number_of_frames=3))
    _encapsulate(dataset, JPEGLSLossless, [coded[0], coded[1][:40], coded[2]])
    return phantom.save(dataset, folder / "image.dcm")


def _huge_jpeg2000(frame: bytes) -> bytes:
    """The same codestream with 20000 x 20000 pixels in its SIZ marker."""
    at = frame.index(b"\xff\x51") + 6
    return frame[:at] + 2 * _SIZE + frame[at + 8 : at + 16] + 2 * _SIZE + frame[at + 24 :]


def _huge_jpeg(frame: bytes) -> bytes:
    """The same picture with 65500 x 65500 pixels in its SOF marker."""
    at = frame.index(b"\xff\xc0") + 5
    return frame[:at] + 2 * (65500).to_bytes(2, "big") + frame[at + 4 :]


def _huge_lossless(frame: bytes) -> bytes:
    at = frame.index(b"\xff\xc3") + 5
    return frame[:at] + 2 * (65500).to_bytes(2, "big") + frame[at + 4 :]


def _huge_jpegls(frame: bytes) -> bytes:
    at = frame.index(b"\xff\xf7") + 5
    return frame[:at] + 2 * (65500).to_bytes(2, "big") + frame[at + 4 :]


def _far_segments(frame: bytes) -> bytes:
    """RLE whose segments begin far behind its end."""
    return frame[:4] + (0xFFFFFFF0).to_bytes(4, "little") + frame[8:]


def _many_segments(frame: bytes) -> bytes:
    return (0xFFFFFFFF).to_bytes(4, "little") + frame[4:]


def _endless(frame: bytes) -> bytes:
    """RLE that repeats a byte over and over: 128 MB of it."""
    return frame[:64] + b"\x81\x07" * 2**20


_DAMAGED = (Refused(Code.TRUNCATED),)
_FRAME = np.tile(_PIXELS, (2, 2)).astype(np.uint16)

CASES = (
    Case(
        "JPEG 2000 of 20000 x 20000 under a small header", _image(JPEG2000Lossless, _huge_jpeg2000), _DAMAGED
    ),
    Case("JPEG of 65500 x 65500 under a small header", _image(JPEGBaseline8Bit, _huge_jpeg), _DAMAGED),
    Case("JPEG-LS of 65500 x 65500 under a small header", _image(JPEGLSLossless, _huge_jpegls), _DAMAGED),
    Case(
        "JPEG Lossless of 65500 x 65500 under a small header",
        _image(JPEGLosslessSV1, _huge_lossless),
        _DAMAGED,
    ),
    Case("JPEG Lossless cut", _image(JPEGLosslessSV1, lambda frame: frame[:-200]), _DAMAGED),
    Case(
        "JPEG Lossless cut, its end put back",
        _image(JPEGLosslessSV1, lambda frame: frame[:-200] + b"\xff\xd9"),
        _DAMAGED,
    ),
    Case("JPEG cut in its scan", _image(JPEGBaseline8Bit, lambda frame: frame[:-200]), _DAMAGED),
    Case(
        "JPEG of noise", _image(JPEGBaseline8Bit, lambda frame: frame[:20] + bytes(range(256)) * 9), _DAMAGED
    ),
    Case("JPEG-LS cut", _image(JPEGLSLossless, lambda frame: frame[:40]), _DAMAGED),
    Case("JPEG 2000 cut", _image(JPEG2000Lossless, lambda frame: frame[:150]), _DAMAGED),
    Case("RLE with segments beyond its end", _image(RLELossless, _far_segments, _FRAME), _DAMAGED),
    Case("RLE of 2^32 segments", _image(RLELossless, _many_segments, _FRAME), _DAMAGED),
    # pydicom takes what belongs to the image, which is one value here.
    Case("RLE that goes on and on", _image(RLELossless, _endless), (Refused(Code.CONSTANT_IMAGE),)),
    Case("RLE of two bytes", _image(RLELossless, lambda frame: b"\1\0"), _DAMAGED),
    Case("enhanced, a damaged frame among good ones", _one_frame_bad, _DAMAGED),
)
