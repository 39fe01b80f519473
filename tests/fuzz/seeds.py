"""The good files that mutants are made of, all small, all made from scratch."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import safetensors.numpy
import SimpleITK as sitk  # noqa: N813 - its usual name
from imagecodecs import htj2k_encode, jpeg8_encode
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    UID,
    DeflatedExplicitVRLittleEndian,
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
    MediaStorageDirectoryStorage,
    RLELossless,
)

from napari_d24fad.session.saved.session_file import save_session
from tests.heads import anomaly_of, head
from tests.session.saved.cases import named_case
from tests.studies import phantom
from tests.studies.corpus.build import even, positions, slices
from tests.studies.corpus.mosaics import mosaic, vframe
from tests.studies.corpus.multiframe import enhanced
from tests.studies.corpus.unusual import tomogram

_SHAPE = (64, 40)
_UID = "2.25.4242"  # not another one each time: mutants are told by their numbers


@dataclass(frozen=True)
class Seed:
    """A good file.

    Attributes:
        kind: What it is a test of.
        name: What it is called as a file.
        content: What is changed.
        pack: Makes the file of the changed content.
    """

    kind: str
    name: str
    content: bytes
    pack: Callable[[bytes], bytes] = bytes


def seeds() -> tuple[Seed, ...]:
    """Makes all seeds."""
    kinds = (
        _dicom(),
        _frames(),
        _directory(),
        _nifti(),
        _formats(),
        _pictures(),
        _archives(),
        _models(),
        _sessions(),
    )
    return tuple(seed for kind in kinds for seed in kind)


def _written(dataset: Dataset) -> bytes:
    file = io.BytesIO()
    if "SOPInstanceUID" in dataset:
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = _UID
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _slice(syntax: UID = ExplicitVRLittleEndian, **options: object) -> Dataset:
    (dataset,) = slices(positions(even(1)), shape=_SHAPE, rescale=(0.25, -100), **options)  # type: ignore[arg-type]
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def _colours(photometric: str = "RGB") -> Dataset:
    pixels = np.random.default_rng(0).integers(0, 255, (*_SHAPE, 3), dtype=np.uint8)
    return phantom.image_dataset(pixels, modality="OT", photometric=photometric)


def _dicom() -> Iterator[Seed]:
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        yield Seed("dicom", f"{syntax.name}.dcm", _written(_slice(syntax)))
    yield Seed("dicom", "colour.dcm", _written(_colours()))
    padded = _slice()
    padded.PixelPaddingValue = -5
    yield Seed("dicom", "padded.dcm", _written(padded))
    plain = _slice(DeflatedExplicitVRLittleEndian)
    packed = _written(plain)
    end = 144 + int.from_bytes(packed[140:144], "little")
    yield Seed("deflated", "deflated.dcm", packed)
    inner = zlib.decompress(packed[end:], -zlib.MAX_WBITS)
    yield Seed("deflated", "inside.dcm", inner, lambda content: packed[:end] + _deflate(content))


def _deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def _frames() -> Iterator[Seed]:
    for syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
        dataset = _slice()
        dataset.compress(syntax, generate_instance_uid=False)
        yield Seed("compressed", f"{syntax.name}.dcm", _written(dataset))
    for name, syntax, code in (
        ("JPEG Lossless", JPEGLosslessSV1, partial(jpeg8_encode, lossless=True, bitspersample=16)),
        (
            "JPEG Lossless 14",
            JPEGLossless,
            partial(jpeg8_encode, lossless=True, predictor=6, bitspersample=16),
        ),
        ("JPEG 12 bits", JPEGExtended12Bit, partial(jpeg8_encode, level=90, bitspersample=12)),
        ("HTJ2K", HTJ2KLossless, htj2k_encode),
        ("HTJ2K RPCL", HTJ2KLosslessRPCL, htj2k_encode),
        ("HTJ2K lossy", HTJ2K, partial(htj2k_encode, reversible=False)),
    ):
        dataset = _slice()
        pixels = np.frombuffer(dataset.PixelData, np.uint16).reshape(dataset.Rows, dataset.Columns)
        if "12" in name:
            pixels = pixels % 2**12
            dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 0
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PixelData = encapsulate([code(pixels)])
        dataset["PixelData"].VR = "OB"
        yield Seed("compressed", f"{name}.dcm", _written(dataset))
    dataset = _colours("YBR_FULL_422")
    picture = io.BytesIO()
    Image.fromarray(np.frombuffer(dataset.PixelData, np.uint8).reshape(*_SHAPE, 3)).save(picture, "JPEG")
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate([picture.getvalue()])
    dataset["PixelData"].VR = "OB"
    yield Seed("compressed", "JPEG.dcm", _written(dataset))
    yield Seed(
        "frames", "enhanced.dcm", _written(enhanced(positions(even(3)), order=(2, 0, 1), shape=_SHAPE))
    )
    dataset = enhanced(positions(even(3)), shape=_SHAPE)
    dataset.compress(RLELossless, generate_instance_uid=False)
    yield Seed("frames", "enhanced RLE.dcm", _written(dataset))


def _directory() -> Iterator[Seed]:
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = "2.25.6"
    directory.DirectoryRecordSequence = []
    for name in (["A", "B"], ["IM1"]):
        record = Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", name
        directory.DirectoryRecordSequence.append(record)
    yield Seed("directory", "DICOMDIR", _written(directory))


def _nifti() -> Iterator[Seed]:
    values = np.arange(120, dtype=np.int16).reshape(6, 5, 4)
    with tempfile.TemporaryDirectory() as folder:
        for number, kind in enumerate((nibabel.Nifti1Image, nibabel.Nifti2Image), 1):
            path = Path(folder) / "v.nii"
            image = kind(values, np.diag([2.0, 2, 3, 1]))
            image.set_qform(image.affine, code=1)
            nibabel.save(image, path)
            yield Seed("nifti", f"{number}.nii", path.read_bytes())
            yield Seed("nifti", f"{number}.nii.gz", path.read_bytes(), _gzip)
            yield Seed("nifti", f"packed {number}.nii.gz", _gzip(path.read_bytes()))
        colours = np.zeros((6, 5, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
        colours["G"] = values
        nibabel.save(nibabel.Nifti1Image(colours, np.eye(4)), path)
        yield Seed("nifti", "colour.nii", path.read_bytes())


def _formats() -> Iterator[Seed]:
    values = np.arange(120, dtype=np.int16).reshape(6, 5, 4)
    image = sitk.GetImageFromArray(values)
    image.SetOrigin((1.0, 2.0, 3.0))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("plain.nrrd", "packed.nrrd", "plain.mha", "packed.mha"):
            path = Path(folder) / name
            sitk.WriteImage(image, path, useCompression="packed" in name)
            yield Seed("volume", name, path.read_bytes())
        path = Path(folder) / "v.mgh"
        nibabel.save(nibabel.MGHImage(values, np.diag([2.0, 2, 3, 1])), path)
        yield Seed("volume", "v.mgh", path.read_bytes())
        yield Seed("volume", "v.mgz", path.read_bytes(), _gzip)
    yield Seed("frames", "mosaic.dcm", _written(mosaic()))
    yield Seed("frames", "vframe.dcm", _written(vframe()))
    yield Seed("frames", "spect.dcm", _written(tomogram()()))


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _pictures() -> Iterator[Seed]:
    grey = np.arange(35, dtype=np.uint8).reshape(5, 7) * 7
    for name, picture in (("grey", grey), ("colour", np.stack([grey, grey[::-1], grey.T.reshape(5, 7)], -1))):
        for kind in ("PNG", "JPEG", "TIFF"):
            file = io.BytesIO()
            Image.fromarray(picture).save(file, kind)
            yield Seed("picture", f"{name}.{kind.lower()}", file.getvalue())


def _archives() -> Iterator[Seed]:
    image = _written(_slice())
    yield Seed("archive", "study.zip", _zip(image))
    yield Seed("archive", "inside.zip", image, _zip)


def _zip(image: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a/1.dcm"), image, zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("a/readme.txt"), b"Not an image.")
    return file.getvalue()


def _models() -> Iterator[Seed]:
    tensors = {
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "F16", "shape": [4], "data_offsets": [24, 32]},
        "__metadata__": {"training": json.dumps({"schema": 1, "stages": []})},
    }
    header = json.dumps(tensors).encode()
    yield Seed("model", "m.safetensors", struct.pack("<Q", len(header)) + header + bytes(range(32)))
    card = Path(__file__).resolve().parents[2] / "resources" / "models" / "compact.json"
    yield Seed("card", "m.json", card.read_bytes())


def _sessions() -> Iterator[Seed]:
    scan = head(0, lesion=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.d24fad"
        save_session([named_case(scan, anomaly_of(scan))], path)
        yield Seed("session", "day.d24fad", path.read_bytes())
        with safetensors.safe_open(path, framework="np") as file:
            text = file.metadata()["session"]
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        yield Seed("session", "text.d24fad", text.encode(), partial(_session, arrays=arrays))


def _session(content: bytes, *, arrays: dict[str, Any]) -> bytes:
    return safetensors.numpy.save(arrays, {"session": content.decode(errors="replace")})
