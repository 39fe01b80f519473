"""Decodes the pixels of DICOM files, and names what is wrong where that fails."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import highdicom.image
import numpy as np
import numpy.typing as npt
from highdicom import get_volume_from_series
from pydicom import uid
from pydicom.config import IGNORE
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from napari_d24fad.errors import Cancelled, Code, D24fadError, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.decoding.jpeg import LOSSLESS
from napari_d24fad.studies.decoding.processes import FrameFormat, decode
from napari_d24fad.studies.dicom.file import read_all
from napari_d24fad.studies.dicom.header import Instance, vanished
from napari_d24fad.studies.dicom.values import number, text
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.scan import Photometric, Voxels

# Real-world values are those of the modality rescale, which every series of a kind shares.
# A real-world value map may rescale to another unit in one series only.
TRANSFORMS: dict[str, Any] = {
    "apply_real_world_transform": False,
    "apply_presentation_lut": False,
    "apply_icc_profile": False,
}

IMAGES = frozenset(
    {
        uid.ComputedRadiographyImageStorage,
        uid.CTImageStorage,
        uid.DigitalMammographyXRayImageStorageForPresentation,
        uid.DigitalXRayImageStorageForPresentation,
        uid.EnhancedCTImageStorage,
        uid.EnhancedMRImageStorage,
        uid.MRImageStorage,
        uid.OphthalmicPhotography8BitImageStorage,
        uid.PositronEmissionTomographyImageStorage,
        uid.SecondaryCaptureImageStorage,
        uid.UltrasoundImageStorage,
        uid.UltrasoundMultiFrameImageStorage,
        uid.VLPhotographicImageStorage,
    }
)
"""SOP classes whose files are images; of the others highdicom's tables tell.

Loading those takes a second, in which no other thread runs: the viewer would stand still.
"""

_look_up = highdicom.image.does_iod_have_pixel_data  # type: ignore[attr-defined]  # imported there, not exported


@cache  # for highdicom searches them anew with every file, 40 % of reading a series
def _is_image(sop_class: str) -> bool:
    return sop_class in IMAGES or bool(_look_up(sop_class))


highdicom.image.does_iod_have_pixel_data = _is_image  # type: ignore[attr-defined]  # as above


def read_slice(instance: Instance, cancel: CancelToken | None = None) -> Voxels:
    """Reads the pixels of a single-frame file.

    Args:
        instance: Its header.
        cancel: Stops the decoding of compressed pixels.

    Returns:
        ``(rows, columns)`` float32 after the rescale that the file states, never inverted,
        NaN where the file declares padding; or ``(rows, columns, 3)`` uint8.

    Raises:
        StudyError: If the pixels are incomplete or of a kind that cannot be decoded.
    """
    colour = instance.photometric is Photometric.COLOUR
    with coded_errors(instance.transfer_syntax), quiet():
        dataset = with_placement(read_whole(instance))
        if ("RescaleSlope" in dataset) != ("RescaleIntercept" in dataset):
            # Some readers take the other half for granted, some take neither.
            raise StudyError(Code.UNSUPPORTED_PIXELS, "It states one half of its rescale, not the other.")
        if is_compressed(dataset):
            _decompress(dataset, cancel)
        volume = get_volume_from_series([dataset], dtype=np.uint32 if colour else np.float32, **TRANSFORMS)
        pixels: Voxels = volume.array[0]
        if colour:
            return eight_bit(pixels, dataset)
        if "PixelPaddingValue" not in dataset:
            return pixels  # else the stored values are decoded a second time
        return without_padding(pixels, dataset.pixel_array, dataset)


def is_compressed(dataset: Dataset) -> bool:
    """Whether each frame of a dataset has to be decoded, which `decoding.decode` does."""
    return bool(dataset.file_meta.TransferSyntaxUID.is_encapsulated)


def frame_format(dataset: Dataset) -> FrameFormat:
    """Returns what a dataset says of its frames.

    Raises:
        Exception: If it does not say all, or something else than numbers.
    """
    return FrameFormat(
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        samples_per_pixel=int(dataset.SamplesPerPixel),
        bits_allocated=int(dataset.BitsAllocated),
        bits_stored=int(dataset.BitsStored),
        pixel_representation=int(dataset.PixelRepresentation),
        photometric_interpretation=str(dataset.PhotometricInterpretation),
        planar_configuration=int(dataset.get("PlanarConfiguration", 0)),
    )


def frames(dataset: Dataset) -> list[bytes]:
    """Returns the compressed frames of a dataset."""
    offsets = None
    if "ExtendedOffsetTable" in dataset:
        offsets = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
    count = int(number(dataset, "NumberOfFrames") or 1)
    return list(generate_frames(dataset.PixelData, number_of_frames=count, extended_offsets=offsets))


def _decompress(dataset: Dataset, cancel: CancelToken | None) -> None:
    """Replaces the compressed pixels of a single-frame dataset by what they decode to."""
    syntax = dataset.file_meta.TransferSyntaxUID
    (frame,) = frames(dataset)
    decoded = decode(str(syntax), frame_format(dataset), frame, cancel)
    pixels = decoded.pixels
    dataset.PixelData = pixels.tobytes() + bytes(pixels.nbytes % 2)
    dataset["PixelData"].is_undefined_length = False
    dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PhotometricInterpretation = decoded.photometric
    if pixels.ndim > 2:
        dataset.PlanarConfiguration = 0
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def without_padding(pixels: Voxels, stored: npt.NDArray[Any], header: Dataset) -> Voxels:
    """Returns grey values with NaN where the stored values are declared as padding.

    Args:
        pixels: Real-world values, float32, of any shape.
        stored: The stored values they came from, of the same shape.
        header: May hold Pixel Padding Value (0028,0120) and Range Limit (0028,0121), which
            are stored values.
    """
    value = header.get("PixelPaddingValue")
    if not isinstance(value, int):
        return pixels
    limit = header.get("PixelPaddingRangeLimit")
    low, high = sorted((value, limit if isinstance(limit, int) else value))
    return np.where((stored >= low) & (stored <= high), np.float32(np.nan), pixels)


def eight_bit(colours: Any, header: Dataset) -> npt.NDArray[np.uint8]:
    """Returns colours as uint8, dropping the low bits of deeper ones."""
    bits = int(header.BitsStored)
    if "RedPaletteColorLookupTableDescriptor" in header:
        bits = int(header.RedPaletteColorLookupTableDescriptor[2])
    shallow: npt.NDArray[np.uint8] = (colours >> max(0, bits - 8)).astype(np.uint8)
    return shallow


def check_decodable(instance: Instance) -> None:
    """Returns if the pixels of a file are of a kind that can be decoded.

    Raises:
        StudyError: ``UNSUPPORTED_PIXELS``, naming the reason.
    """
    if instance.photometric is None:
        raise StudyError(Code.UNSUPPORTED_PIXELS, "Its colour space is not known.")
    syntax = _syntax(instance.transfer_syntax)
    try:
        with quiet():
            # The decoding process knows a decoder of JPEG Lossless that pydicom does not.
            decodable = syntax in LOSSLESS or get_decoder(syntax).is_available
    except NotImplementedError:
        decodable = False
    if not decodable:
        raise _unsupported(syntax) from None


def _unsupported(syntax: UID) -> StudyError:
    # Without a name in the dictionary it may be any text.
    name = syntax.name if syntax.name != syntax else "not known"
    return StudyError(Code.UNSUPPORTED_PIXELS, f"Its transfer syntax is {name}.")


def _syntax(transfer_syntax: str) -> UID:
    return UID(transfer_syntax or ImplicitVRLittleEndian, validation_mode=IGNORE)


@contextmanager
def coded_errors(transfer_syntax: str) -> Iterator[None]:
    """Turns what pydicom, highdicom and the decoders raise into a `StudyError`.

    Their messages quote header values and paths, so none of them is passed on.

    Args:
        transfer_syntax: Transfer Syntax UID of the file being decoded.
    """
    try:
        yield
    except (D24fadError, Cancelled):
        raise
    except MemoryError:
        raise StudyError(Code.TOO_LARGE, "There is not enough free memory.") from None
    except FileNotFoundError:
        raise vanished() from None
    except OSError as error:
        # The file system numbers its errors; pydicom raises others on damaged files.
        raise StudyError(Code.PATH_UNREADABLE if error.errno else Code.TRUNCATED) from None
    except RecursionError:
        raise StudyError(Code.NOT_AN_IMAGE, "Its header is nested too deeply.") from None
    except zlib.error:
        raise StudyError(Code.TRUNCATED, "Its compressed data is damaged.") from None
    except Exception as error:
        # Decoders raise any exception on damaged input.
        syntax = _syntax(transfer_syntax)
        if "less than expected" in str(error):
            raise StudyError(Code.TRUNCATED) from None
        if syntax.is_compressed and isinstance(error, RuntimeError):
            raise StudyError(Code.TRUNCATED, "Its compressed pixel data is damaged.") from None
        raise _unsupported(syntax) from None


def read_whole(instance: Instance) -> Dataset:
    """Reads a file with its pixels.

    Raises:
        StudyError: ``TRUNCATED`` if there are none, ``PATH_MISSING`` if the file is not the
            one whose header was read, ``TOO_LARGE``.
    """
    dataset = read_all(instance.path, instance.pixel_bytes)
    if not any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise StudyError(Code.TRUNCATED, "It ends before its pixels.")
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, _ = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    # The sizes that were checked are those of the header.
    found = tuple(int(number(dataset, name) or 1) for name in ("NumberOfFrames", "Rows", "Columns"))
    if (*found, text(dataset, "SOPInstanceUID")) != (
        instance.frames,
        instance.rows,
        instance.columns,
        instance.sop_uid,
    ):
        raise StudyError(Code.PATH_MISSING, "A file was replaced while the study was read.")
    return dataset


def with_placement(dataset: Dataset) -> Dataset:
    """Gives a single-frame dataset a plain placement, which highdicom asks for.

    None of it changes a pixel value; the true geometry comes from the headers of all
    slices together.
    """
    dataset.FrameOfReferenceUID = dataset.SeriesInstanceUID = "2.25.1"
    dataset.ImagePositionPatient = [0, 0, 0]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [1, 1]
    dataset.SpacingBetweenSlices = 1
    return dataset
