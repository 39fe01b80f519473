"""Objects that readers stumble over although pixels and places are there, and ones that lack them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import CTImageStorage, NuclearMedicineImageStorage

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import GRID, changed, even, positions, slices, volume, written
from tests.studies.corpus.case import Case, Picture, Refused, Volume
from tests.studies.corpus.multiframe import enhanced, saved

_RIGHT = volume(tolerance=0.26)
_SHUFFLED = (3, 0, 6, 4, 1, 7, 2, 5)


def _framed(name: str, change: Callable[[Dataset], object], expected: Volume | Refused = _RIGHT) -> Case:
    """An enhanced file whose frames are shuffled, changed by a function."""

    def make() -> Dataset:
        dataset = enhanced(positions(even()), order=_SHUFFLED)
        change(dataset)
        return dataset

    return Case(f"enhanced, {name}", saved(make), (expected,))


def _private_pointers(dataset: Dataset) -> None:
    """As every enhanced file of Philips."""
    for pointer in (0x2005106E, 0x20051011):
        index = Dataset()
        index.DimensionIndexPointer, index.FunctionalGroupPointer = Tag(pointer), Tag(0x2005140F)
        index.DimensionIndexPrivateCreator = "Philips MR Imaging DD 001"
        dataset.DimensionIndexSequence.append(index)
    for group in dataset.PerFrameFunctionalGroupsSequence:
        group.FrameContentSequence[0].DimensionIndexValues += [1, 1]


def _without(*names: str) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        for name in names:
            delattr(dataset, name)

    return change


def _several_references(dataset: Dataset) -> None:
    """Each frame was derived of two others, and refers to two localizers."""
    for group in dataset.PerFrameFunctionalGroupsSequence:
        derivation, group.ReferencedImageSequence = Dataset(), [_reference(), _reference()]
        derivation.SourceImageSequence = [_reference(), _reference()]
        group.DerivationImageSequence = [derivation]


def _reference() -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, "2.25.9"
    item.ReferencedFrameNumber = [1, 2]
    return item


def _rescale_of_file(dataset: Dataset) -> None:
    """The whole file states another rescale than its frames do: that of the frames holds."""
    dataset.RescaleSlope, dataset.RescaleIntercept = "3", "7"


def _no_position(number: int) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        for group in dataset.PerFrameFunctionalGroupsSequence[:number]:
            del group.PlanePositionSequence

    return change


def _one_each(folder: Path) -> None:
    """One frame a file, as a series: its place is in the functional groups."""
    places = positions(even(), phantom.OBLIQUE)
    for index in range(len(places)):
        dataset = enhanced(
            places[index : index + 1],
            phantom.OBLIQUE,
            rescale=lambda _, index=index: (0.5 + index / 8, -100.0),
        )
        dataset.InstanceNumber = index + 1
        phantom.save(dataset, folder / f"{_SHUFFLED[index]}.dcm")


def tomogram(spacing: float = 4.0, order: tuple[int, ...] = (), **changes: object) -> Callable[[], Dataset]:
    """Reconstructed SPECT: the place of its first slice is that of the detector."""

    def make() -> Dataset:
        places = positions(np.arange(8) * spacing)
        slots = order or tuple(range(8))
        frames = slices(places, shape=GRID[1:])
        dataset = phantom.image_dataset(
            np.zeros(GRID[1:], np.int16), sop_class=NuclearMedicineImageStorage, modality="NM"
        )
        dataset.SeriesDescription = "Phantom"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
        dataset.NumberOfFrames = 8
        dataset.PixelData = b"".join(frames[at].PixelData for at in slots)
        dataset.PixelSpacing, dataset.SliceThickness = ["1.5", "0.75"], "4"
        dataset.SpacingBetweenSlices = f"{spacing:g}"
        dataset.NumberOfSlices, dataset.SliceVector = 8, [at + 1 for at in slots]
        detector = Dataset()
        detector.ImagePositionPatient = frames[0].ImagePositionPatient
        detector.ImageOrientationPatient = frames[0].ImageOrientationPatient
        dataset.DetectorInformationSequence = [detector]
        return _changed(dataset, changes)

    return make


def _changed(dataset: Dataset, changes: Mapping[str, object]) -> Dataset:
    """Sets attributes of a data set, and removes those whose value is None."""
    for name, value in changes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    return dataset


def _cone_beam(**changes: object) -> Callable[[], Dataset]:
    """A volume in one classic file: it states where its first frame lies."""

    def make() -> Dataset:
        frames = slices(positions(even()), modality="CT")
        dataset = frames[0]
        dataset.NumberOfFrames, dataset.SpacingBetweenSlices = len(frames), "4"
        dataset.PixelData = b"".join(frame.PixelData for frame in frames)
        return _changed(dataset, changes)

    return make


def _sop_class(identifier: str) -> Callable[[Dataset, int], None]:
    def change(dataset: Dataset, index: int) -> None:
        if identifier:
            dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = identifier
        else:
            del dataset.SOPClassUID

    return change


def _classes() -> list[Case]:
    named = {
        "missing": "",
        "retired (ultrasound)": "1.2.840.10008.5.1.4.1.1.6",
        "retired (nuclear medicine)": "1.2.840.10008.5.1.4.1.1.5",
        "of a vendor": "1.3.46.670589.11.0.0.12.1",
        "altered": "1.2.111.10008.2.1.4.1.1.2",
    }
    return [
        Case(
            f"SOP class {name}",
            written(changed(_sop_class(identifier))),
            (volume(problems=(Code.BURNED_IN,) if "ultrasound" in name else ()),),
        )
        for name, identifier in named.items()
    ]


def _empty_tables(items: list[Dataset]) -> Callable[[Dataset, int], None]:
    def change(dataset: Dataset, index: int) -> None:
        dataset.ModalityLUTSequence = items

    return change


def _pad(stated: int, stored: int, vr: str, *, signed: bool) -> Callable[[Dataset, int], None]:
    """Five values are padding, which is stated as another kind of number than it is stored as."""

    def change(dataset: Dataset, index: int) -> None:
        pixels = np.frombuffer(dataset.PixelData, np.int16).astype(np.int32)
        dataset.RescaleSlope, dataset.RescaleIntercept = "1", "0"
        if not signed:
            pixels += 3000
            dataset.RescaleIntercept = "-3000"
        pixels[:5] = stored
        dataset.PixelData = pixels.astype(np.int16 if signed else np.uint16).tobytes()
        dataset.PixelRepresentation = int(signed)
        dataset.add_new("PixelPaddingValue", vr, stated)

    return change


_SEGMENTS = [0, 2, 0, 1000, 1, 254, 65535]  # two values, and a line of 254 more
_TABLE = np.concatenate([[0], np.round(np.linspace(1000, 65535, 255))]).astype(int)


def _segmented(segments: list[int]) -> Callable[[Path], None]:
    """A palette in segments: the same for red and green, none for blue."""

    def build(folder: Path) -> None:
        dataset = phantom.image_dataset(np.arange(240, dtype=np.uint8).reshape(12, 20), modality="US")
        dataset.PhotometricInterpretation = "PALETTE COLOR"
        dataset.BurnedInAnnotation = "NO"
        for colour in ("Red", "Green", "Blue"):
            name = f"{colour}PaletteColorLookupTable"
            dataset.add_new(f"{name}Descriptor", "US", [256, 0, 16])
            words = segments if colour != "Blue" else [0, 1, 0, 1, 255, 0]
            dataset.add_new(f"Segmented{name}Data", "OW", np.array(words, "<u2").tobytes())
        phantom.save(dataset, folder / "palette")

    return build


def _segment_case(name: str, segments: list[int], says: str) -> Case:
    refused = (Refused(Code.CONTRADICTORY_PIXELS, says),)
    return Case(f"segmented palette, {name}", _segmented(segments), refused, compared=False)


_SEGMENTED = np.stack([_TABLE >> 8, _TABLE >> 8, _TABLE * 0], axis=1)[np.arange(240)].reshape(12, 20, 3)
_ASSUMED = volume(problems=(Code.ASSUMED_ORDER,))

CASES = (
    _framed("private dimension pointers", _private_pointers),
    _framed("no frame of reference", _without("FrameOfReferenceUID")),
    _framed("no dimensions", _without("DimensionIndexSequence")),
    _framed("several referenced frames", _several_references),
    _framed("another rescale for the file than for its frames", _rescale_of_file),
    _framed("SOP class missing", _without("SOPClassUID")),
    _framed("one frame without a place", _no_position(1), Refused(Code.FRAMES_UNPLACED, "1 of 8")),
    _framed("no frame with a place", _no_position(8), Refused(Code.FILM, "8 frames")),
    Case("enhanced, one frame a file", _one_each, (volume(phantom.OBLIQUE, tolerance=0.8),)),
    Case("SPECT, reconstructed", saved(tomogram()), (volume(),)),
    Case(
        "SPECT, counted against the normal",
        saved(tomogram(-4.0)),
        (volume(places=positions(np.arange(-7, 1) * 4.0)),),
    ),
    Case("SPECT, frames in another order", saved(tomogram(order=(7, 6, 5, 4, 3, 2, 1, 0))), (volume(),)),
    Case(
        "SPECT, no spacing",
        saved(tomogram(SpacingBetweenSlices=None)),
        (Refused(Code.FRAMES_UNPLACED, "how far"),),
        elsewhere=(volume(),),
    ),
    Case(
        "SPECT, two frames of one slice",
        saved(tomogram(SliceVector=[1, 1, 2, 3, 4, 5, 6, 7])),
        (Refused(Code.FRAMES_UNPLACED, "numbered"),),
    ),
    Case(
        "cone-beam CT in one classic file",
        saved(_cone_beam()),
        (Refused(Code.FRAMES_UNPLACED, "first of its 8 frames", _ASSUMED),),
    ),
    Case(
        "cone-beam CT in one classic file, no spacing",
        saved(_cone_beam(SpacingBetweenSlices=None)),
        (Refused(Code.FRAMES_UNPLACED, "how far"),),
        elsewhere=(volume(),),
    ),
    Case(
        "a film at one place",
        saved(_cone_beam(FrameTime="40", FrameIncrementPointer=Tag(0x00181063))),
        (Refused(Code.FILM, "in time"),),
    ),
    *_classes(),
    Case("modality look-up table without items", written(changed(_empty_tables([]))), (volume(),)),
    Case(
        "modality look-up table of an empty item", written(changed(_empty_tables([Dataset()]))), (volume(),)
    ),
    Case(
        "padding of signed values stated as unsigned",
        written(changed(_pad(63536, -2000, "US", signed=True))),
        (volume(problems=(Code.PADDING,), padding=5 * GRID[0]),),
    ),
    Case(
        "padding of unsigned values stated as signed",
        written(changed(_pad(-2000, 63536, "SS", signed=False))),
        (volume(problems=(Code.PADDING,), padding=5 * GRID[0]),),
    ),
    Case(
        "segmented palette",
        _segmented(_SEGMENTS),
        (Picture(_SEGMENTED),),
        compared=False,
    ),
    _segment_case("too short", _SEGMENTS[:5], "palette"),
    _segment_case("too long", [0, 2, 0, 1000, 1, 300, 65535], "palette"),
    _segment_case("a part that refers to others", [0, 2, 0, 1, 2, 1, 0, 0], "refers"),
)
