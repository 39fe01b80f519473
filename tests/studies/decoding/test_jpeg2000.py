"""JPEG 2000 and High-Throughput JPEG 2000: exact where lossless, and no memory for what the header denies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from imagecodecs import htj2k_encode
from pydicom.uid import HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.decoding.jpeg2000 import codestream_header, fault
from napari_d24fad.studies.decoding.processes import FrameFormat, close_workers, decode

RNG = np.random.default_rng(8)
SHAPE = (64, 48)


@pytest.fixture(autouse=True, scope="module")
def _no_workers_left() -> Iterator[None]:
    yield
    close_workers()


def _form(dtype: type, **changes: object) -> FrameFormat:
    bits = 8 * np.dtype(dtype).itemsize
    told = {
        "rows": SHAPE[0],
        "columns": SHAPE[1],
        "samples_per_pixel": 1,
        "bits_allocated": bits,
        "bits_stored": bits,
        "pixel_representation": int(np.dtype(dtype).kind == "i"),
        "photometric_interpretation": "MONOCHROME2",
    }
    return FrameFormat(**{**told, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_what_was_coded_comes_back(syntax: str, dtype: type) -> None:
    info = np.iinfo(dtype)
    pixels = RNG.integers(info.min, info.max, SHAPE, dtype=dtype, endpoint=True)
    np.testing.assert_array_equal(decode(syntax, _form(dtype), htj2k_encode(pixels)).pixels, pixels)


def test_the_header_of_a_frame() -> None:
    coded = htj2k_encode(RNG.integers(0, 2**12, SHAPE, dtype=np.uint16))
    header = codestream_header(coded)
    assert header is not None
    assert (header.rows, header.columns, header.precisions) == (*SHAPE, (16,))
    assert codestream_header(b"\0\0\0\x0cjP  \r\n\x87\n" + coded) == header
    for cut in (0, 3, 20, 40):
        assert codestream_header(coded[:cut]) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": 65}, "size"),
        ({"columns": 4}, "size"),
        ({"samples_per_pixel": 3}, "size"),
        ({"bits_allocated": 8}, "unsupported"),
        ({}, ""),
    ],
)
def test_what_contradicts_the_file_is_not_decoded(changes: dict[str, int], said: str) -> None:
    coded = htj2k_encode(RNG.integers(0, 2**12, SHAPE, dtype=np.uint16))
    form = _form(np.uint16, **changes)
    attributes = {
        name: getattr(form, name) for name in ("rows", "columns", "samples_per_pixel", "bits_allocated")
    }
    assert fault(coded, attributes) == said
    if said:
        with pytest.raises(StudyError) as caught:
            decode(HTJ2KLossless, form, coded)
        assert caught.value.code is (Code.TRUNCATED if said == "size" else Code.UNSUPPORTED_PIXELS)


def test_cut_frames_are_refused() -> None:
    coded = htj2k_encode(RNG.integers(0, 2**12, SHAPE, dtype=np.uint16))
    for cut in (10, 60, len(coded) // 2):
        with pytest.raises(StudyError):
            decode(HTJ2KLossless, _form(np.uint16), coded[:cut])
