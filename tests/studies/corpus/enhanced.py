"""Enhanced files of rare make: what tells their frames apart is private, implied, or in several files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import even, positions, volume
from tests.studies.corpus.case import Case, Refused
from tests.studies.corpus.multiframe import enhanced, saved

_SPLIT = (Code.SPLIT_SERIES,)
_FOUR = positions(even(4))
_PHILIPS = "Philips MR Imaging DD 005"


def _complex() -> Dataset:
    """Magnitude and phase of two weightings, as frames."""
    dataset = enhanced(np.concatenate([_FOUR] * 4))
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        kind, diffusion = Dataset(), Dataset()
        kind.FrameType = ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]
        kind.ComplexImageComponent = "PHASE" if number // 4 % 2 else "MAGNITUDE"
        diffusion.DiffusionBValue = 1000.0 * (number // 8)
        group.MRImageFrameTypeSequence, group.MRDiffusionSequence = [kind], [diffusion]
    return dataset


def _indexed() -> Dataset:
    """Two volumes in mixed order, which nothing but the index values of their frames tells apart."""
    order = [5, 2, 7, 0, 3, 6, 1, 4]
    dataset = enhanced(np.concatenate([_FOUR] * 2), order=order)
    pointer = Dataset()
    pointer.DimensionIndexPointer, pointer.DimensionIndexPrivateCreator = 0x2005140F, _PHILIPS
    dataset.DimensionIndexSequence.append(pointer)
    for at, group in zip(order, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        content = group.FrameContentSequence[0]
        content.DimensionIndexValues, content.InStackPositionNumber = [1, at % 4 + 1, at // 4 + 1], at % 4 + 1
        del content.FrameAcquisitionNumber
    return dataset


def _one_each(folder: Path) -> None:
    """Files of one frame that do not state how many they hold."""
    for number, place in enumerate(_FOUR):
        dataset = enhanced(place[np.newaxis])
        dataset.InstanceNumber = number + 1
        del dataset.NumberOfFrames
        phantom.save(dataset, folder / str(number))


def _two_stacks() -> Dataset:
    """Axial frames, and sagittal ones behind them."""
    axial, sagittal = enhanced(_FOUR), enhanced(positions(even(3), phantom.SAGITTAL), phantom.SAGITTAL)
    for dataset in (axial, sagittal):
        shared = dataset.SharedFunctionalGroupsSequence[0]
        for group in dataset.PerFrameFunctionalGroupsSequence:
            group.PlaneOrientationSequence = shared.PlaneOrientationSequence
        del shared.PlaneOrientationSequence
    axial.PerFrameFunctionalGroupsSequence += list(sagittal.PerFrameFunctionalGroupsSequence)
    axial.PixelData += sagittal.PixelData
    axial.NumberOfFrames = 7
    return axial


def _in_parts(folder: Path) -> None:
    """A concatenation whose files end within a volume: five frames of eight, then three."""
    places = np.concatenate([_FOUR] * 2)
    for number, part in enumerate((slice(0, 5), slice(5, 8))):
        dataset = enhanced(places[part])
        dataset.ConcatenationUID, dataset.InstanceNumber = "2.25.77", number + 1
        for index, group in enumerate(dataset.PerFrameFunctionalGroupsSequence, 5 * number):
            diffusion = Dataset()
            diffusion.DiffusionBValue = 1000.0 * (index // 4)
            group.MRDiffusionSequence = [diffusion]
        phantom.save(dataset, folder / str(number))


def _private_in_frames() -> Dataset:
    dataset = enhanced(positions(even()), order=(3, 0, 6, 4, 1, 7, 2, 5))
    pointer = Dataset()
    pointer.DimensionIndexPointer = pointer.FunctionalGroupPointer = 0x2005140F
    pointer.DimensionIndexPrivateCreator = pointer.FunctionalGroupPrivateCreator = _PHILIPS
    dataset.DimensionIndexSequence.append(pointer)
    for group in dataset.PerFrameFunctionalGroupsSequence:
        content, inner = group.FrameContentSequence[0], Dataset()
        content.DimensionIndexValues = [*content.DimensionIndexValues, 1]
        inner.EchoNumbers = 1
        group.private_block(0x2005, _PHILIPS, create=True).add_new(0x0F, "SQ", [inner])
    return dataset


def _angiography() -> Dataset:
    dataset = enhanced(positions(even()))
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.13.1.1"
    dataset.Modality = "XA"
    return dataset


def _ultrasound() -> Dataset:
    """A volume of enhanced ultrasound, which lies in a space of its own."""
    dataset = enhanced(positions(even()))
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.6.2"
    dataset.Modality, dataset.BurnedInAnnotation = "US", "NO"
    for group in dataset.PerFrameFunctionalGroupsSequence:
        place = Dataset()
        place.ImagePositionVolume = group.PlanePositionSequence[0].ImagePositionPatient
        group.PlanePositionVolumeSequence = [place]
        del group.PlanePositionSequence
    return dataset


CASES = (
    Case(
        "enhanced, magnitude and phase of two b-values",
        saved(_complex),
        tuple(
            volume(places=_FOUR, problems=_SPLIT, name=f"b {weighting}, type {kind}")
            for weighting in (0, 1000)
            for kind in ("MAGNITUDE", "PHASE")
        ),
    ),
    Case(
        "enhanced, two volumes told apart by index values",
        saved(_indexed),
        tuple(volume(places=_FOUR, problems=_SPLIT, name=f"volume {number}") for number in (1, 2)),
    ),
    Case("enhanced, one frame a file, without their number", _one_each, (volume(places=_FOUR),)),
    Case(
        "enhanced, two stacks",
        saved(_two_stacks),
        (
            volume(places=_FOUR, problems=_SPLIT, name="axial"),
            volume(phantom.SAGITTAL, positions(even(3), phantom.SAGITTAL), problems=_SPLIT, name="sagittal"),
        ),
    ),
    Case(
        "enhanced, a concatenation of two b-values",
        _in_parts,
        tuple(volume(places=_FOUR, problems=_SPLIT, name=name) for name in ("b 0", "b 1000")),
    ),
    Case("enhanced, private sequences and pointers in each frame", saved(_private_in_frames), (volume(),)),
    Case("angiography in 3D", saved(_angiography), (volume(),)),
    Case("ultrasound in 3D", saved(_ultrasound), (Refused(Code.FILM, "without a place in the patient"),)),
)
