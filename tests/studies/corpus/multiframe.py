"""Many frames in one file: enhanced objects in any order, films, and what is no anatomy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import (
    EnhancedMRImageStorage,
    JPEG2000Lossless,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    RLELossless,
    RTDoseStorage,
    SegmentationStorage,
    UltrasoundMultiFrameImageStorage,
)

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import GRID, even, positions, slices, volume
from tests.studies.corpus.case import Case, Refused, Volume

_SHUFFLED = (3, 0, 6, 4, 1, 7, 2, 5)
NOISE = np.random.default_rng(13)


def enhanced(
    places: np.ndarray,
    orientation: Sequence[float] = phantom.AXIAL,
    order: Sequence[int] | None = None,
    rescale: Callable[[int], tuple[float, float]] = lambda index: (0.5, -100.0),
    shape: tuple[int, int] = GRID[1:],
) -> Dataset:
    """One Enhanced MR instance with the slices as frames, in any order, rescaled per frame."""
    every = [
        slices(places[index : index + 1], orientation, rescale=rescale(index), shape=shape)[0]
        for index in range(len(places))
    ]
    order = range(len(places)) if order is None else order
    frames = [every[index] for index in order]
    dataset = phantom.image_dataset(np.zeros(shape, np.int16), sop_class=EnhancedMRImageStorage)
    for name in ("FrameOfReferenceUID", "SeriesInstanceUID", "SeriesDescription"):
        setattr(dataset, name, getattr(frames[0], name))
    dataset.NumberOfFrames = len(frames)
    dataset.PixelData = b"".join(frame.PixelData for frame in frames)
    shared, plane, measures = Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient = frames[0].ImageOrientationPatient
    measures.PixelSpacing, measures.SliceThickness = frames[0].PixelSpacing, frames[0].SliceThickness
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [plane], [measures]
    dataset.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for number, frame in enumerate(frames, 1):
        group, position, content, transform = Dataset(), Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = frame.ImagePositionPatient
        content.FrameAcquisitionNumber = number
        content.StackID, content.InStackPositionNumber = "1", order[number - 1] + 1
        content.DimensionIndexValues = [1, order[number - 1] + 1]
        transform.RescaleSlope, transform.RescaleIntercept = frame.RescaleSlope, frame.RescaleIntercept
        transform.RescaleType = "US"
        group.PlanePositionSequence = [position]
        group.FrameContentSequence = [content]
        group.PixelValueTransformationSequence = [transform]
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    dataset.DimensionIndexSequence = []
    for name in ("StackID", "InStackPositionNumber"):
        index = Dataset()
        index.DimensionIndexPointer = tag_for_keyword(name)
        index.FunctionalGroupPointer = tag_for_keyword("FrameContentSequence")
        dataset.DimensionIndexSequence.append(index)
    return dataset


def _rescaled_each() -> Dataset:
    places = positions(even())
    return enhanced(places, order=_SHUFFLED, rescale=lambda index: (0.25 + index / 16, -100.0))


def saved(make: Callable[[], Dataset]) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        phantom.save(make(), folder / "frames")

    return build


def _enhanced(name: str, expected: Volume | Refused, places: np.ndarray, *arguments: object) -> Case:
    return Case(name, saved(lambda: enhanced(places, *arguments)), (expected,))  # type: ignore[arg-type]


def _compressed(syntax: str) -> Callable[[], Dataset]:
    def make() -> Dataset:
        dataset = enhanced(positions(even(3)), order=(2, 0, 1), shape=(64, 64))
        dataset.compress(syntax, generate_instance_uid=False)
        return dataset

    return make


def _padded() -> Dataset:
    dataset = enhanced(positions(even()), order=_SHUFFLED)
    pixels = np.frombuffer(dataset.PixelData, np.int16).copy()
    pixels[:: GRID[1] * GRID[2]] = -32000
    dataset.PixelData = pixels.tobytes()
    dataset.PixelPaddingValue = -32000
    return dataset


def _truncated(folder: Path) -> None:
    path = phantom.save(enhanced(positions(even())), folder / "frames")
    path.write_bytes(path.read_bytes()[:-100])


def _undescribed() -> Dataset:
    dataset = enhanced(positions(even()))
    del dataset.PerFrameFunctionalGroupsSequence[-1]
    return dataset


def _twice(folder: Path) -> None:
    dataset = enhanced(positions(even()))
    phantom.save(dataset, folder / "a")
    phantom.save(dataset, folder / "b")


def _conflicting(folder: Path) -> None:
    dataset = enhanced(positions(even()))
    phantom.save(dataset, folder / "a")
    dataset.PixelData = bytes(2) + dataset.PixelData[2:]
    phantom.save(dataset, folder / "b")


def _in_parts(folder: Path) -> None:
    """A concatenation: one acquisition in two files of one series, the last of one frame."""
    for number, part in enumerate((slice(0, 7), slice(7, 8)), 1):
        dataset = enhanced(positions(even())[part])
        dataset.ConcatenationUID, dataset.InConcatenationNumber = "2.25.77", number
        dataset.InstanceNumber = number
        phantom.save(dataset, folder / str(number))


def _film(sop_class: str, modality: str, *, colour: bool = False) -> Callable[[], Dataset]:
    def make() -> Dataset:
        pixels = NOISE.integers(0, 255, (12, 10, 3) if colour else (12, 10), dtype=np.uint8)
        dataset = phantom.image_dataset(pixels, sop_class=sop_class, modality=modality)
        dataset.NumberOfFrames = 5
        dataset.PixelData *= 5
        dataset.FrameTime = "40"
        return dataset

    return make


def _no_anatomy(sop_class: str, modality: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        return phantom.save(_film(sop_class, modality)(), folder / "object")

    return build


_PART = (Code.SPLIT_SERIES,)
_RIGHT = volume(tolerance=0.26)


def _tilted(slant: float) -> Volume:
    return volume(
        places=positions(even(), slant=(slant, 0)),
        problems=(Code.TILTED, Code.PADDING),
        tolerance=0.51,
        slanted=True,
        label="tilt removed",
    )


CASES = (
    _enhanced("enhanced, frames in order", _RIGHT, positions(even())),
    _enhanced("enhanced, frames shuffled", _RIGHT, positions(even()), phantom.AXIAL, _SHUFFLED),
    Case("enhanced, another rescale for each frame", saved(_rescaled_each), (volume(tolerance=0.4),)),
    _enhanced(
        "enhanced, doubly oblique, shuffled",
        volume(phantom.OBLIQUE, tolerance=0.26),
        positions(even(), phantom.OBLIQUE),
        phantom.OBLIQUE,
        _SHUFFLED,
    ),
    _enhanced(
        "enhanced, a frame missing",
        Refused(
            Code.MISSING_SLICE,
            "4.00 to 8.00",
            volume(places=positions(even(6)), problems=(Code.RESAMPLED,), label="resampled", tolerance=0.26),
        ),
        positions(even())[[0, 1, 3, 4, 5]],
    ),
    Case(
        "enhanced, several frames at each position",
        saved(lambda: enhanced(positions(even()), order=(0, 1, 2, 3, 0, 1, 2, 3))),
        tuple(
            volume(places=positions(even(4)), problems=_PART, tolerance=0.26, name=f"volume {number}")
            for number in (1, 2)
        ),
    ),
    _enhanced("enhanced, gantry tilt of 20 degrees", _tilted(0.36), positions(even(), slant=(0.36, 0))),
    _enhanced("enhanced, gantry tilt of 2 degrees", _tilted(0.035), positions(even(), slant=(0.035, 0))),
    Case(
        "enhanced, padding value",
        saved(_padded),
        (volume(tolerance=0.4, problems=(Code.PADDING,), padding=8),),
    ),
    Case(
        "enhanced, RLE",
        saved(_compressed(RLELossless)),
        (volume(places=positions(even(3)), grid=(3, 64, 64)),),
    ),
    Case(
        "enhanced, JPEG 2000",
        saved(_compressed(JPEG2000Lossless)),
        (volume(places=positions(even(3)), grid=(3, 64, 64)),),
    ),
    Case("enhanced, truncated", _truncated, (Refused(Code.TRUNCATED),)),
    Case("enhanced, a frame not described", saved(_undescribed), (Refused(Code.TRUNCATED, "describe"),)),
    Case("enhanced, the file twice", _twice, (volume(tolerance=0.4, problems=(Code.DUPLICATE_INSTANCE,)),)),
    Case("enhanced, same UID with other pixels", _conflicting, (Refused(Code.CONFLICTING_COPIES),)),
    Case(
        "enhanced, a concatenation of two files",
        _in_parts,
        (volume(tolerance=0.4),),
    ),
    Case(
        "ultrasound film",
        saved(_film(UltrasoundMultiFrameImageStorage, "US")),
        (Refused(Code.FILM, "5 frames"),),
    ),
    Case(
        "ultrasound film in colour",
        saved(_film(UltrasoundMultiFrameImageStorage, "US", colour=True)),
        (Refused(Code.FILM, "5 frames"),),
        compared=False,
    ),
    Case(
        "secondary capture of several frames",
        saved(_film(MultiFrameGrayscaleByteSecondaryCaptureImageStorage, "OT")),
        (Refused(Code.FILM, "5 frames"),),
    ),
    Case("radiotherapy dose", _no_anatomy(RTDoseStorage, "RTDOSE"), refused=Code.NOT_AN_IMAGE),
    Case("segmentation", _no_anatomy(SegmentationStorage, "SEG"), refused=Code.NOT_AN_IMAGE),
)
