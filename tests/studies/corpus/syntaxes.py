"""Transfer syntaxes: how the same volume is encoded."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from imagecodecs import htj2k_encode, jpeg8_encode
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    MPEG4HP41,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import even, positions, slices, volume, written
from tests.studies.corpus.case import Case, Refused, Volume

_LARGE = (3, 64, 64)  # below, JPEG 2000 has too few pixels for its resolutions


def _oblique() -> list[Dataset]:
    return slices(positions(even(), phantom.OBLIQUE), phantom.OBLIQUE, rescale=(0.25, -100))


def _uncompressed(syntax: UID) -> Callable[[], list[Dataset]]:
    def make() -> list[Dataset]:
        datasets = _oblique()
        for dataset in datasets:
            dataset.file_meta.TransferSyntaxUID = syntax
        return datasets

    return make


def _big_endian(folder: Path) -> None:
    for index, dataset in enumerate(_oblique()):
        dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()
        dataset["PixelData"].VR = "OW"
        dataset.save_as(folder / str(index), implicit_vr=False, little_endian=False, enforce_file_format=True)


def _without_preamble(folder: Path) -> None:
    for path in phantom.write_series(folder, _oblique()):
        path.write_bytes(path.read_bytes()[132:])


def _without_meta(folder: Path) -> None:
    for index, dataset in enumerate(_oblique()):
        del dataset.file_meta
        dataset.save_as(folder / str(index), implicit_vr=True, little_endian=True)


def _large(**options: object) -> list[Dataset]:
    places = positions(even(3), phantom.SAGITTAL)
    return slices(places, phantom.SAGITTAL, shape=_LARGE[1:], **options)  # type: ignore[arg-type]


def _compressed(syntax: UID, **options: object) -> Callable[[], list[Dataset]]:
    def make() -> list[Dataset]:
        datasets = _large(rescale=(0.25, -100))
        for dataset in datasets:
            dataset.compress(syntax, generate_instance_uid=False, **options)
        return datasets

    return make


def _jpeg() -> list[Dataset]:
    """Eight bits by Pillow, at its best quality."""
    datasets = _large(rescale=(4.0, -1190.0), dtype=np.uint8)
    for dataset in datasets:
        picture = io.BytesIO()
        Image.fromarray(np.frombuffer(dataset.PixelData, np.uint8).reshape(64, 64)).save(
            picture, "JPEG", quality=100
        )
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        dataset.PixelData = encapsulate([picture.getvalue()])
        dataset["PixelData"].VR = "OB"
    return datasets


def _by_imagecodecs(syntax: UID, dtype: type = np.int16, **options: object) -> Callable[[], list[Dataset]]:
    def make() -> list[Dataset]:
        datasets = _large(rescale=(0.25, -100 if dtype == np.int16 else -1190), dtype=dtype)
        for dataset in datasets:
            pixels = np.frombuffer(dataset.PixelData, np.uint16).reshape(64, 64)
            dataset.file_meta.TransferSyntaxUID = syntax
            dataset.PixelData = encapsulate([jpeg8_encode(pixels, **options)])
            dataset["PixelData"].VR = "OB"
            dataset.BitsStored = options["bitspersample"]
            dataset.HighBit = dataset.BitsStored - 1
        return datasets

    return make


def _lossless(syntax: UID, predictor: int) -> Callable[[], list[Dataset]]:
    return _by_imagecodecs(syntax, lossless=True, predictor=predictor, bitspersample=16)


def _twelve(syntax: UID) -> Callable[[], list[Dataset]]:
    return _by_imagecodecs(syntax, np.uint16, level=100, bitspersample=12)


def _high_throughput(syntax: UID, **options: object) -> Callable[[], list[Dataset]]:
    def make() -> list[Dataset]:
        datasets = _large(rescale=(0.25, -100))
        for dataset in datasets:
            pixels = np.frombuffer(dataset.PixelData, np.int16).reshape(64, 64)
            dataset.file_meta.TransferSyntaxUID = syntax
            dataset.PixelData = encapsulate([htj2k_encode(pixels, **options)])
            dataset["PixelData"].VR = "OB"
        return datasets

    return make


def _claimed(syntax: UID, bits: int = 16) -> Callable[[], list[Dataset]]:
    """Pixels in a compression that nothing here can write; the header must be enough."""

    def make() -> list[Dataset]:
        datasets = slices(positions(even()))
        for dataset in datasets:
            dataset.file_meta.TransferSyntaxUID = syntax
            dataset.BitsStored, dataset.HighBit = bits, bits - 1
            dataset.PixelData = encapsulate([b"\xff\xd8 not decoded \xff\xd9"])
            dataset["PixelData"].VR = "OB"
        return datasets

    return make


def _private(folder: Path) -> None:
    for index, dataset in enumerate(slices(positions(even()))):
        dataset.file_meta.TransferSyntaxUID = UID("1.2.840.113619.5.2")
        dataset.save_as(folder / str(index), implicit_vr=True, little_endian=True, enforce_file_format=True)


def _damaged() -> list[Dataset]:
    datasets = _jpeg()
    datasets[1].PixelData = encapsulate([b"\xff\xd8\xff\xe0 not a picture \xff\xd9"])
    return datasets


def _at(tolerance: float) -> Volume:
    places = positions(even(3), phantom.SAGITTAL)
    return volume(phantom.SAGITTAL, places, _LARGE, tolerance=tolerance)


_RIGHT = volume(phantom.OBLIQUE, tolerance=0.13)


def _refused(syntax: UID, bits: int = 16) -> Case:
    return Case(
        f"{syntax.name} ({bits} bit)",
        written(_claimed(syntax, bits)),
        (Refused(Code.UNSUPPORTED_PIXELS, syntax.name),),
    )


CASES = (
    Case("Explicit VR Little Endian", written(_uncompressed(ExplicitVRLittleEndian)), (_RIGHT,)),
    Case("Implicit VR Little Endian", written(_uncompressed(ImplicitVRLittleEndian)), (_RIGHT,)),
    Case("Explicit VR Big Endian", _big_endian, (_RIGHT,)),
    Case("Deflated", written(_uncompressed(DeflatedExplicitVRLittleEndian)), (_RIGHT,)),
    Case("files without a preamble", _without_preamble, (_RIGHT,)),
    Case("files without file meta information", _without_meta, (_RIGHT,)),
    Case("RLE", written(_compressed(RLELossless)), (_at(0.13),)),
    Case("JPEG baseline", written(_jpeg), (_at(6.0),)),
    Case("JPEG-LS lossless", written(_compressed(JPEGLSLossless)), (_at(0.13),)),
    Case("JPEG-LS near-lossless", written(_compressed(JPEGLSNearLossless, jls_error=2)), (_at(0.7),)),
    Case("JPEG 2000 lossless", written(_compressed(JPEG2000Lossless)), (_at(0.13),)),
    Case("JPEG 2000 lossy", written(_compressed(JPEG2000, j2k_psnr=[90])), (_at(4.0),)),
    Case("High-Throughput JPEG 2000 lossless", written(_high_throughput(HTJ2KLossless)), (_at(0.13),)),
    Case(
        "High-Throughput JPEG 2000 lossless, by resolution",
        written(_high_throughput(HTJ2KLosslessRPCL)),
        (_at(0.13),),
    ),
    Case(
        "High-Throughput JPEG 2000 lossy",
        written(_high_throughput(HTJ2K, reversible=False)),
        (_at(4.0),),
    ),
    Case("JPEG that is damaged", written(_damaged), (Refused(Code.TRUNCATED, "compressed"),)),
    Case(
        "JPEG Lossless (process 14), selection value 1", written(_lossless(JPEGLosslessSV1, 1)), (_at(0.13),)
    ),
    Case("JPEG Lossless (process 14), selection value 6", written(_lossless(JPEGLossless, 6)), (_at(0.13),)),
    Case("JPEG extended (process 4) of 12 bits", written(_twelve(JPEGExtended12Bit)), (_at(0.7),)),
    Case("JPEG of 12 bits said to be baseline", written(_twelve(JPEGBaseline8Bit)), (_at(0.7),)),
    _refused(MPEG4HP41, 8),
    Case(
        "a transfer syntax of one vendor",
        _private,
        (Refused(Code.UNSUPPORTED_PIXELS, "not known"),),
    ),
    Case(
        "High-Throughput JPEG 2000 that is damaged",
        written(_claimed(HTJ2KLossless)),
        (Refused(Code.TRUNCATED, "compressed"),),
    ),
)
