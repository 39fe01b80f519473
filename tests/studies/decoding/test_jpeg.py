"""JPEG Lossless and twelve bits: known arrays come back as they were, by every predictor; cut ones do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK
from imagecodecs import jpeg8_encode
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.decoding.jpeg import FrameHeader, frame_header
from napari_d24fad.studies.decoding.processes import FrameFormat, close_workers, decode
from tests.tables.pydicom_files import FOLDER

RNG = np.random.default_rng(6)
SHAPE = (64, 48)
NOISE = RNG.integers(0, 2**16, SHAPE, dtype=np.uint16)
SMOOTH = (2000 + 900 * np.sin(np.indices(SHAPE).sum(axis=0) / 9)).astype(np.uint16)


@pytest.fixture(autouse=True, scope="module")
def _no_workers_left() -> Iterator[None]:
    yield
    close_workers()


def _form(shape: tuple[int, ...] = SHAPE, **changes: Any) -> FrameFormat:
    samples = shape[2] if len(shape) > 2 else 1
    told = {
        "rows": shape[0],
        "columns": shape[1],
        "samples_per_pixel": samples,
        "bits_allocated": 16,
        "bits_stored": 16,
        "pixel_representation": 0,
        "photometric_interpretation": "MONOCHROME2" if samples == 1 else "RGB",
    }
    return FrameFormat(**{**told, **changes})


def _lossless(pixels: np.ndarray, bits: int = 16, predictor: int = 1) -> bytes:
    coded: bytes = jpeg8_encode(pixels, lossless=True, bitspersample=bits, predictor=predictor)
    header = frame_header(coded)
    assert header is not None
    assert (header.marker, header.precision) == (0xC3, bits)
    assert coded[coded.index(b"\xff\xda") + 5 + 2 * len(header.sampling)] == predictor
    return coded


def _refused(syntax: str, form: FrameFormat, frame: bytes) -> StudyError:
    with pytest.raises(StudyError) as caught:
        decode(syntax, form, frame)
    return caught.value


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLosslessSV1])
def test_lossless_is_exact_by_every_predictor(syntax: str, predictor: int) -> None:
    for pixels in (NOISE, SMOOTH):
        coded = _lossless(pixels, predictor=predictor)
        unsigned = decode(syntax, _form(), coded).pixels
        np.testing.assert_array_equal(unsigned, pixels)
        signed = decode(syntax, _form(pixel_representation=1), coded).pixels
        assert (unsigned.dtype, signed.dtype) == (np.uint16, np.int16)
        np.testing.assert_array_equal(signed, pixels.view(np.int16))


@pytest.mark.parametrize(("bits", "allocated"), [(8, 8), (8, 16), (10, 16), (12, 16)])
def test_fewer_bits_keep_their_sign(bits: int, allocated: int) -> None:
    signed = RNG.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), SHAPE)
    coded = _lossless((signed % 2**bits).astype(np.uint8 if bits == 8 else np.uint16), bits)
    form = {"bits_allocated": allocated, "bits_stored": bits}
    np.testing.assert_array_equal(
        decode(JPEGLossless, _form(pixel_representation=1, **form), coded).pixels, signed
    )
    np.testing.assert_array_equal(decode(JPEGLossless, _form(**form), coded).pixels, signed % 2**bits)


def test_colours_stay_as_they_are() -> None:
    colours = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    coded = jpeg8_encode(colours, lossless=True)
    frame = decode(JPEGLossless, _form(colours.shape, bits_allocated=8, bits_stored=8), coded)
    np.testing.assert_array_equal(frame.pixels, colours)
    assert frame.photometric == "RGB"


@pytest.mark.parametrize("name", ["JPEG-lossy.dcm", "JPGExtended.dcm", "SC_rgb_jpeg_gdcm.dcm"])
def test_files_of_others_are_read_as_gdcm_reads_them(name: str) -> None:
    path = FOLDER / "test_files" / name
    dataset = pydicom.dcmread(path)
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    expected = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))[0]
    form = _form(expected.shape, bits_allocated=dataset.BitsAllocated, bits_stored=dataset.BitsStored)
    pixels = decode(dataset.file_meta.TransferSyntaxUID, form, frame).pixels
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("syntax", [JPEGExtended12Bit, JPEGBaseline8Bit])
def test_twelve_bits_are_near(syntax: str) -> None:
    coded = jpeg8_encode(SMOOTH, level=100, bitspersample=12)
    assert frame_header(coded) == FrameHeader(0xC1, 12, *SHAPE, (0x11,))
    found = decode(syntax, _form(bits_stored=12), coded).pixels
    np.testing.assert_allclose(found, SMOOTH, atol=2)


LOSSLESS, TWELVE = _lossless(NOISE), jpeg8_encode(SMOOTH, level=95, bitspersample=12)
EOI = LOSSLESS[-2:]


@pytest.mark.parametrize("lost", [1, 2, 3, 5, 50, 500, 3000])
@pytest.mark.parametrize("end", [b"", EOI, EOI + b"\0"], ids=["no end", "end", "padded"])
def test_a_cut_stream_is_refused(lost: int, end: bytes) -> None:
    """libjpeg makes up what is missing, and says nothing."""
    for syntax, form, coded in (
        (JPEGLosslessSV1, _form(), LOSSLESS),
        (JPEGExtended12Bit, _form(bits_stored=12), TWELVE),
    ):
        error = _refused(syntax, form, coded[: -2 - lost] + end)
        assert error.code is Code.TRUNCATED


def test_a_frame_of_another_size_is_refused_before_it_is_decoded() -> None:
    at = LOSSLESS.index(b"\xff\xc3") + 5
    for rows, columns in ((65500, 65500), (65, 48), (64, 47), (0, 48), (64, 0)):
        size = rows.to_bytes(2) + columns.to_bytes(2)
        error = _refused(JPEGLossless, _form(), LOSSLESS[:at] + size + LOSSLESS[at + 4 :])
        assert (error.code, "size" in error.detail) == (Code.TRUNCATED, True)
    colour = jpeg8_encode(np.zeros((*SHAPE, 3), np.uint8), lossless=True)
    assert "size" in _refused(JPEGLossless, _form(), colour).detail
    assert "size" in _refused(JPEGLossless, _form((*SHAPE, 3)), LOSSLESS).detail


@pytest.mark.parametrize(
    ("syntax", "form", "frame"),
    [
        (JPEGLossless, _form(bits_allocated=8, bits_stored=8), LOSSLESS),
        (JPEGLossless, _form(pixel_representation=1), _lossless(SMOOTH, 12)),
        (JPEGLossless, _form(), TWELVE),
        (JPEGExtended12Bit, _form(), LOSSLESS),
        (JPEGLossless, _form(), LOSSLESS.replace(b"\xff\xc3", b"\xff\xcb")),
        (JPEGExtended12Bit, _form(), TWELVE.replace(b"\xff\xc1", b"\xff\xc2")),
        (
            JPEGExtended12Bit,
            _form((*SHAPE, 3)),
            jpeg8_encode(np.stack([SMOOTH] * 3, axis=-1), bitspersample=12),
        ),
        (
            JPEGLossless,
            _form((*SHAPE, 3), photometric_interpretation="YBR_FULL"),
            _lossless(np.stack([NOISE] * 3, axis=-1)),
        ),
    ],
    ids=[
        "more bits than allocated",
        "no sign bit",
        "lossy said to be lossless",
        "lossless said to be lossy",
        "arithmetic codes",
        "progressive",
        "lossy colours of twelve bits",
        "deep colours that are not RGB",
    ],
)
def test_another_kind_of_stream_is_refused(syntax: str, form: FrameFormat, frame: bytes) -> None:
    assert _refused(syntax, form, frame).code is Code.UNSUPPORTED_PIXELS


def test_no_damage_does_more_than_change_the_picture() -> None:
    """Mutants are refused or decoded; the decoding process may die of one, the parent never."""
    codes = []
    for coded, form, syntax in (
        (LOSSLESS, _form(), JPEGLossless),
        (TWELVE, _form(bits_stored=12), JPEGExtended12Bit),
    ):
        for _ in range(100):
            mutant = bytearray(coded)
            for at in RNG.integers(0, min(300, len(coded)), 3):
                mutant[at] = RNG.integers(256)
            try:
                decode(syntax, form, bytes(mutant))
            except StudyError as error:
                codes.append(error.code)
    assert len(codes) > 50
    assert set(codes) <= {Code.TRUNCATED, Code.UNSUPPORTED_PIXELS, Code.DECODER_FAILED}


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\xff",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8" + b"\xff" * 99,
        b"\xff\xd8\xff\xc3\0\x0b\x10",
        b"\xff\xd8\xff\xc3\0\x0b\x10\0\1\0\1\xff\1\x11\0",
        b"\xff\xd8\xff\xe0\xff\xff",
        b"\xff\xd8\xff\xe0\0\0" * 9,
        LOSSLESS[2:],
        LOSSLESS.replace(b"\xff\xc3", b"\xff\xe3"),
    ],
)
def test_a_stream_without_a_frame_header(stream: bytes) -> None:
    assert frame_header(stream) is None
    assert _refused(JPEGLossless, _form(), stream + EOI).code is Code.TRUNCATED
