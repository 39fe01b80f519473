"""Slices tiled into one picture, as Siemens and United Imaging write echo-planar series."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import affine_of, axes, even, positions
from tests.studies.corpus.case import Case, Refused, Volume

_SHAPE = (12, 10)
_PIXELS = phantom.SPACING[1:]
_PART = (Code.SPLIT_SERIES,)


def csa_header(**values: Sequence[object]) -> bytes:
    """An image header of Siemens' own format (SV10), as far as it tells of a mosaic."""
    content = b"SV10\4\3\2\1" + struct.pack("<II", len(values), 77)
    for name, items in values.items():
        kind = b"FD" if isinstance(items[0], float) else b"US"
        content += struct.pack("<64si4siii", name.encode(), len(items), kind, 0, 6, 77)
        for item in [f"{value:.8f}" if kind == b"FD" else str(value) for value in items]:
            text = item.encode() + b"\0"
            content += struct.pack("<4i", len(text), len(text), 77, len(text)) + text.ljust(
                -len(text) // 4 * -4, b"\0"
            )
        for _ in range(6 - len(items)):
            content += struct.pack("<4i", 0, 0, 77, 0)
    return content


def _tiled(places: np.ndarray, orientation: Sequence[float], down: int, across: int) -> np.ndarray:
    """The phantom on slices at these places, side by side; empty tiles hold 0."""
    _, along_column, along_row = axes(orientation)
    row, column = np.indices(_SHAPE).reshape(2, -1)
    in_plane = np.outer(along_column, row * _PIXELS[0]) + np.outer(along_row, column * _PIXELS[1])
    picture = np.zeros((down * _SHAPE[0], across * _SHAPE[1]), np.int16)
    for number, place in enumerate(places):
        values = np.round(phantom.world_value(in_plane + place[:, np.newaxis])).reshape(_SHAPE)
        top, left = number // across * _SHAPE[0], number % across * _SHAPE[1]
        picture[top : top + _SHAPE[0], left : left + _SHAPE[1]] = values
    return picture


def mosaic(
    orientation: Sequence[float] = phantom.AXIAL,
    *,
    count: int = 7,
    against: bool = False,
    csa: bool = True,
    private_count: bool = False,
    normal: bool = True,
    distance: bool = True,
) -> Dataset:
    """A mosaic of Siemens: its position is that of the large picture with the centre of the first slice.

    Args:
        orientation: Image Orientation (Patient).
        count: Number of slices.
        against: Whether slices are counted against the normal of their plane.
        csa: Whether there is a CSA header.
        private_count: Whether (0019,100A) states the number.
        normal: Whether the CSA header states the direction.
        distance: Whether Spacing Between Slices is stated, not the thickness only.
    """
    across_slices, along_column, along_row = axes(orientation)
    sign = -1 if against else 1
    places = positions(np.array(even(count)) * sign, orientation)
    side = math.ceil(math.sqrt(count))
    dataset = phantom.image_dataset(_tiled(places, orientation, side, side), sop_class=MRImageStorage)
    dataset.Manufacturer, dataset.SeriesDescription = "SIEMENS", "Phantom"
    dataset.SoftwareVersions = "syngo MR E11"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    dataset.ImageOrientationPatient = [f"{cosine:.10g}" for cosine in orientation]
    beside = (np.array([side, side]) - 1) * _SHAPE / 2 * _PIXELS
    shown = places[0] - along_column * beside[0] - along_row * beside[1]
    dataset.ImagePositionPatient = [f"{mm:.10g}" for mm in shown]
    dataset.PixelSpacing = [f"{mm:.10g}" for mm in _PIXELS]
    dataset.SpacingBetweenSlices = dataset.SliceThickness = f"{phantom.SPACING[0]:g}"
    if not distance:
        del dataset.SpacingBetweenSlices
    dataset.FrameOfReferenceUID = "2.25.4002"
    if csa:
        told = {"NumberOfImagesInMosaic": [count]} if not private_count else {}
        if normal:
            told |= {"SliceNormalVector": [float(value) for value in sign * across_slices]}
        block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", csa_header(**told))
    if private_count:
        dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", count)
    return dataset


def vframe(*, told: bool = True, uneven: bool = False) -> Dataset:
    """A picture of United Imaging: each slice says where it lies, the picture does not."""
    distances = even(20)
    if uneven:
        distances[7] += 1.0
    places = positions(distances, phantom.OBLIQUE)
    dataset = phantom.image_dataset(_tiled(places, phantom.OBLIQUE, 4, 5), sop_class=MRImageStorage)
    dataset.Manufacturer, dataset.SeriesDescription = "UIH", "Phantom"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "VFRAME"]
    dataset.PixelSpacing = [f"{mm:.10g}" for mm in _PIXELS]
    dataset.SliceThickness = f"{phantom.SPACING[0]:g}"
    if told:
        block = dataset.private_block(0x0065, "Image Private Header", create=True)
        frames = []
        for place in places:
            frame = Dataset()
            frame.ImagePositionPatient = [f"{mm:.10g}" for mm in place]
            frame.ImageOrientationPatient = [f"{cosine:.10g}" for cosine in phantom.OBLIQUE]
            frames.append(frame)
        block.add_new(0x50, "DS", "20")
        block.add_new(0x51, "SQ", frames)
    return dataset


def _saved(make: Callable[[], Dataset]) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        phantom.save(make(), folder / "mosaic")

    return build


def _times(folder: Path) -> None:
    for number in range(3):
        dataset = mosaic()
        dataset.AcquisitionNumber = dataset.InstanceNumber = number + 1
        phantom.save(dataset, folder / str(number))


def _right(
    orientation: Sequence[float] = phantom.AXIAL, *, count: int = 7, against: bool = False, **more: object
) -> Volume:
    places = positions(np.array(even(count)) * (-1 if against else 1), orientation)
    return Volume(affine_of(places, orientation), (count, *_SHAPE), **more)  # type: ignore[arg-type]


def _case(name: str, make: Callable[[], Dataset], expected: Volume | Refused) -> Case:
    return Case(name, _saved(make), (expected,))


_UNTOLD = Refused(Code.FRAMES_UNPLACED, "tiled into one picture and the number of tiles is not stated")

CASES = (
    *(
        _case(
            f"mosaic, {name}{', counted against the normal' if against else ''}",
            lambda orientation=orientation, against=against: mosaic(orientation, against=against),  # type: ignore[misc]
            _right(orientation, against=against),
        )
        for name, orientation in (
            ("axial", phantom.AXIAL),
            ("coronal", phantom.CORONAL),
            ("sagittal", phantom.SAGITTAL),
            ("doubly oblique", phantom.OBLIQUE),
        )
        for against in (False, True)
    ),
    _case("mosaic of 16 slices", lambda: mosaic(count=16), _right(count=16)),
    _case("mosaic that is counted in another attribute", lambda: mosaic(private_count=True), _right()),
    _case("mosaic without a number of tiles", lambda: mosaic(csa=False), _UNTOLD),
    _case(
        "mosaic without the direction of its slices",
        lambda: mosaic(csa=False, private_count=True),
        Refused(Code.FRAMES_UNPLACED, "direction", remedy=_right(problems=(Code.ASSUMED_ORDER,))),
    ),
    _case(
        "mosaic without the distance of its slices",
        lambda: mosaic(distance=False),
        Refused(Code.FRAMES_UNPLACED, "distance", remedy=_right(problems=(Code.ASSUMED_ORDER,))),
    ),
    Case(
        "mosaics of three times",
        _times,
        tuple(_right(problems=_PART, name=f"acquisition {n}") for n in (1, 2, 3)),
    ),
    _case("UIH, slices tiled by 4 x 5", vframe, _right(phantom.OBLIQUE, count=20)),
    _case(
        "UIH, places not told",
        lambda: vframe(told=False),
        Refused(Code.FRAMES_UNPLACED, "tiled into one picture and where"),
    ),
    _case(
        "UIH, a slice out of place",
        lambda: vframe(uneven=True),
        Refused(Code.AMBIGUOUS_GEOMETRY, "evenly spaced"),
    ),
)
