"""Decodes the pixels of DICOM files, and names what is wrong where that fails."""

from __future__ import annotations

import threading
from typing import Any

import highdicom.image
import numpy as np
import numpy.typing as npt
from highdicom import get_volume_from_series
from pydicom import uid
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.decoding.processes import FrameFormat, decode
from napari_d24fad.studies.dicom.file import read_all
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.padding import without_padding
from napari_d24fad.studies.dicom.palette import expand_palette
from napari_d24fad.studies.dicom.refusals import coded_errors
from napari_d24fad.studies.dicom.values import items, number, text
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.scan import Photometric, Voxels

# Real-world values are those of the modality rescale, which every series of a kind shares.
# A real-world value map may rescale to another unit in one series only.
TRANSFORMS: dict[str, Any] = {
    "apply_real_world_transform": False,
    "apply_presentation_lut": False,
    "apply_icc_profile": False,
}

_SHOWN = uid.MRImageStorage
"""SOP class of what is handed to highdicom: pixels alone, whatever file they came from."""

_look_up = highdicom.image.does_iod_have_pixel_data  # type: ignore[attr-defined]  # imported there, not exported


def _is_image(sop_class_uid: str) -> bool:
    # Loading its tables takes a second, in which no other thread runs: the viewer would stand still.
    return sop_class_uid == _SHOWN or bool(_look_up(sop_class_uid))


highdicom.image.does_iod_have_pixel_data = _is_image  # type: ignore[attr-defined]  # as above

_PIXEL_DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_COLOURS = ("Red", "Green", "Blue")
_MEANING = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in _COLOURS),
    *(f"{colour}PaletteColorLookupTableData" for colour in _COLOURS),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in _COLOURS),
)
"""All that decides which value or colour a stored value stands for."""


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
    return FrameFile(instance).read(instance.frame or 0, cancel)


class FrameFile:
    """Reads a file once, and any of its frames when they are asked for, by any thread.

    Args:
        instance: The header of the file, or of one of its frames.

    Raises:
        StudyError: If the file is incomplete, too large, or gone.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._lock = threading.Lock()
        with coded_errors(instance.transfer_syntax), quiet():
            self._whole = read_whole(instance)
            self._coded = frames(self._whole) if is_compressed(self._whole) else None

    def read(self, index: int, cancel: CancelToken | None = None) -> Voxels:
        """Reads a frame; see `read_slice` for what is returned and raised.

        Args:
            index: Which frame, from 0.
            cancel: Stops the decoding of compressed pixels.
        """
        colour = self._instance.photometric is Photometric.COLOUR
        with coded_errors(self._instance.transfer_syntax), quiet():
            with self._lock:  # elements are interpreted when they are first looked at
                dataset = _plain(self._whole, index)
            if self._coded is not None:
                _set_decoded(dataset, self._whole, self._coded[index], cancel)
            else:
                _set_stored(dataset, self._whole, index, self._lock)
            volume = get_volume_from_series(
                [dataset], dtype=np.uint32 if colour else np.float32, **TRANSFORMS
            )
            pixels: Voxels = volume.array[0]
            if colour:
                return eight_bit(pixels, dataset)
            if "PixelPaddingValue" not in dataset:
                return pixels  # else the stored values are decoded a second time
            return without_padding(pixels, dataset.pixel_array, dataset)


def _plain(whole: Dataset, index: int) -> Dataset:
    """Returns what a file says of the values of a frame, and nothing else.

    Nothing else can be malformed then, or of a kind that highdicom does not know. It asks for a
    place, too; the true ones come from the headers of all slices together.

    Raises:
        StudyError: ``CONTRADICTORY_PIXELS``.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = whole.file_meta.TransferSyntaxUID
    for name in _MEANING:
        if name in whole:
            dataset[name] = whole[name]
    groups = items(whole, "PerFrameFunctionalGroupsSequence")[index : index + 1]
    for group in (*groups, *items(whole, "SharedFunctionalGroupsSequence")[:1]):
        transforms = items(group, "PixelValueTransformationSequence")[:1]
        if transforms:
            for name in ("RescaleSlope", "RescaleIntercept"):
                dataset.pop(name, None)
                if name in transforms[0]:
                    dataset[name] = transforms[0][name]
            break
    tables = items(dataset, "ModalityLUTSequence")
    if not tables or not len(tables[0]):
        dataset.pop("ModalityLUTSequence", None)  # empty ones say nothing
        for name in ("RescaleSlope", "RescaleIntercept"):
            if name in dataset and not text(dataset, name):
                del dataset[name]  # as above
        if ("RescaleSlope" in dataset) != ("RescaleIntercept" in dataset):
            # Some readers take the other half for granted, some take neither.
            raise StudyError(Code.CONTRADICTORY_PIXELS, "It states one half of its rescale, not the other.")
        if number(dataset, "RescaleSlope") == 0:  # which some readers take for 1
            raise StudyError(Code.CONTRADICTORY_PIXELS, "The slope of its rescale is 0.")
    expand_palette(dataset)
    dataset.SOPClassUID, dataset.SOPInstanceUID = _SHOWN, "2.25.1"
    dataset.FrameOfReferenceUID = dataset.SeriesInstanceUID = dataset.StudyInstanceUID = "2.25.1"
    dataset.ImagePositionPatient = [0, 0, 0]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [1, 1]
    dataset.SpacingBetweenSlices = 1
    return dataset


def _set_stored(dataset: Dataset, whole: Dataset, index: int, lock: threading.Lock) -> None:
    """Gives a dataset the pixels of one frame as they are stored.

    Raises:
        StudyError: ``TRUNCATED`` if they are not there.
    """
    (name,) = (name for name in _PIXEL_DATA if name in whole)
    count = int(number(whole, "NumberOfFrames") or 1)
    with lock:
        if whole.BitsAllocated == 1:  # frames begin within a byte
            bits = pixel_array(whole, index=index, raw=True).astype(np.uint8)
            dataset.BitsAllocated, dataset.HighBit = 8, dataset.BitsStored - 1
            dataset.PixelData = bits.tobytes() + bytes(bits.size % 2)
            dataset["PixelData"].VR = "OB"
            return
        element = whole[name]
    if count > 1:
        samples = 2 if whole.PhotometricInterpretation == "YBR_FULL_422" else whole.SamplesPerPixel
        size = whole.Rows * whole.Columns * samples * whole.BitsAllocated // 8
        content = element.value[index * size : (index + 1) * size]
        if len(content) < size:
            raise StudyError(Code.TRUNCATED)
        element = DataElement(element.tag, element.VR, content + bytes(size % 2))
    dataset[name] = element


def _set_decoded(dataset: Dataset, whole: Dataset, coded: bytes, cancel: CancelToken | None) -> None:
    """Gives a dataset the pixels that a compressed frame decodes to."""
    syntax = whole.file_meta.TransferSyntaxUID
    decoded = decode(str(syntax), frame_format(whole), coded, cancel)
    pixels = decoded.pixels
    dataset.PixelData = pixels.tobytes() + bytes(pixels.nbytes % 2)
    dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PhotometricInterpretation = decoded.photometric
    if pixels.ndim > 2:
        dataset.PlanarConfiguration = 0
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


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


def eight_bit(colours: Any, header: Dataset) -> npt.NDArray[np.uint8]:
    """Returns colours as uint8, dropping the low bits of deeper ones."""
    bits = int(header.BitsStored)
    if "RedPaletteColorLookupTableDescriptor" in header:
        bits = int(header.RedPaletteColorLookupTableDescriptor[2])
    shallow: npt.NDArray[np.uint8] = (colours >> max(0, bits - 8)).astype(np.uint8)
    return shallow


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
