"""Where slices lie: orientations, jitter, gaps, slants, and places that cannot be believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import (
    GRID,
    affine_of,
    changed,
    even,
    positions,
    slices,
    volume,
    written,
)
from tests.studies.corpus.case import Case, Picture, Refused, Volume

_ORIENTATIONS = {
    "axial": phantom.AXIAL,
    "coronal": phantom.CORONAL,
    "sagittal": phantom.SAGITTAL,
    "axial, feet first and prone": phantom.REVERSED_AXIAL,
    "doubly oblique": phantom.OBLIQUE,
}


def _oriented(name: str, orientation: Sequence[float]) -> Case:
    return Case(
        f"{name} slices in any order",
        written(lambda: slices(positions(even(), orientation), orientation)),
        (volume(orientation),),
    )


def _at(
    name: str, places: np.ndarray, *expected: Volume | Refused, elsewhere: tuple[Volume, ...] = ()
) -> Case:
    return Case(name, written(lambda: slices(places)), expected, elsewhere=elsewhere)


def _resampled(distances: Sequence[float], number: int, computed_from: str = "resampled") -> Volume:
    """What is offered for slices at these distances: so many slices over the same extent."""
    places = positions(np.linspace(distances[0], distances[-1], number))
    return volume(places=places, problems=(Code.RESAMPLED,), label=computed_from)


def _tilted(name: str, slant: tuple[float, float], orientation: Sequence[float] = phantom.AXIAL) -> Case:
    places = positions(even(), orientation, slant)
    expected = Volume(
        affine_of(places, orientation),
        GRID,
        problems=(Code.TILTED, Code.PADDING),
        tolerance=1.01,  # rounded twice: to integers in the file, and between two of them
        slanted=True,
        label="tilt removed",
    )
    return Case(name, written(lambda: slices(places, orientation, modality="CT")), (expected,))


def _jittered(millimetres: float) -> np.ndarray:
    jitter = np.random.default_rng(1).uniform(-millimetres, millimetres, GRID[0])
    return positions(np.add(even(), jitter))


def _missing(*without: int) -> list[float]:
    return [distance for index, distance in enumerate(even()) if index not in without]


_UNEVEN = [0.0, 4.0, 8.5, 12.0, 16.5, 20.0, 24.5, 28.0]
_HELIX = positions(even()) + np.array([[0.0, 2.0 * (index % 2), 0.0] for index in range(GRID[0])])
_SIDE_BY_SIDE = np.array(phantom.ORIGIN) + np.array([[20.0 * index, 0, 0] for index in range(GRID[0])])


def _shear_axes(dataset: Dataset, index: int) -> None:
    dataset.ImageOrientationPatient = [1, 0, 0, 0.5, 1, 0]


def _long_axes(dataset: Dataset, index: int) -> None:
    dataset.ImageOrientationPatient = [1.2, 0, 0, 0, 1.2, 0]


def _turn_one(dataset: Dataset, index: int) -> None:
    if index == 2:  # by 0.1 mm at the far corner
        dataset.ImageOrientationPatient = [1, 0.00095, 0, 0, 1, 0]


def _mosaic(dataset: Dataset, index: int) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]


def _widen_one(dataset: Dataset, index: int) -> None:
    if index == 4:
        dataset.PixelSpacing = ["1.5004", "0.75"]


def _false_thickness(dataset: Dataset, index: int) -> None:
    dataset.SliceThickness, dataset.SpacingBetweenSlices = "9", "-2.5"
    dataset.SliceLocation = str(-7 * index)
    dataset.InstanceNumber = GRID[0] - index


def _without(*names: str) -> Case:
    """Slices that do not say where they lie are images: no volume, no millimetres."""

    def change(dataset: Dataset, index: int) -> None:
        for name in names:
            delattr(dataset, name)

    datasets = slices(positions(even()))
    pictures = tuple(
        Picture(np.frombuffer(one.PixelData, np.int16).reshape(GRID[1:]), (Code.AMBIGUOUS_GEOMETRY,))
        for one in datasets
    )
    return Case(f"no {' and no '.join(names)}", written(changed(change), order="forward"), pictures)


def _unreadable_position(dataset: Dataset, index: int) -> None:
    if index == 3:
        dataset.ImagePositionPatient = None


def _half_unplaced() -> Case:
    places = positions(even())
    picture = np.frombuffer(slices(places)[3].PixelData, np.int16).reshape(GRID[1:])
    codes = (Code.SPLIT_SERIES, Code.AMBIGUOUS_GEOMETRY)
    return Case(
        "one slice with an empty position",
        written(changed(_unreadable_position), order="forward"),
        (
            Refused(
                Code.MISSING_SLICE,
                "4.00 to 8.00 mm",
                volume(problems=(Code.SPLIT_SERIES, Code.RESAMPLED), label="resampled"),
            ),
            Picture(picture, codes),
        ),
    )


def _one() -> Case:
    places = positions([8.0], phantom.OBLIQUE)
    return Case(
        "a single slice", written(lambda: slices(places, phantom.OBLIQUE)), (volume(phantom.OBLIQUE, places),)
    )


CASES = (
    *(_oriented(name, orientation) for name, orientation in _ORIENTATIONS.items()),
    _one(),
    _at("two slices", positions([0, 4.0]), volume(places=positions([0, 4.0]))),
    _at("gaps that differ by rounding", _jittered(0.01), volume(tolerance=0.6)),
    _at(
        "sub-millimetre jitter of positions",
        _jittered(0.3),
        Refused(
            Code.UNEVEN_SLICES,
            "gaps",
            Volume(affine_of(_jittered(0.3)), GRID, (Code.RESAMPLED,), tolerance=1.01, label="resampled"),
        ),
    ),
    _at(
        "a missing slice",
        positions(_missing(3)),
        Refused(Code.MISSING_SLICE, "4.00 to 8.00", _resampled(even(), 8)),
    ),
    _at(
        "three missing slices in two places",
        positions(_missing(1, 4, 5)),
        Refused(Code.MISSING_SLICE, "gaps", _resampled(even(), 8)),
    ),
    _at("most slices missing", positions([0, 4.0, 8.0, 60.0]), Refused(Code.MISSING_SLICE, "4.00 to 52.00")),
    _at(
        "spacing that changes",
        positions(_UNEVEN),
        Refused(Code.UNEVEN_SLICES, "gaps", _resampled(_UNEVEN, 8)),
    ),
    _tilted("gantry tilt of 20 degrees", (np.tan(np.radians(20)), 0)),
    _tilted("gantry tilt of -15 degrees", (-np.tan(np.radians(15)), 0)),
    _tilted("gantry tilt of 2 degrees", (np.tan(np.radians(2)), 0)),
    _tilted("a stack at a slant in both directions", (0.3, 0.2), phantom.OBLIQUE),
    _at("a slant of 60 degrees", positions(even(), slant=(1.75, 0)), Refused(Code.AMBIGUOUS_GEOMETRY)),
    _at(
        "gantry tilt with a missing slice",
        positions(_missing(3), slant=(0.3, 0)),
        Refused(Code.MISSING_SLICE, "4.00 to 8.00"),
    ),
    _at("slices beside their line", _HELIX, Refused(Code.AMBIGUOUS_GEOMETRY, "straight line")),
    _at("slices side by side in one plane", _SIDE_BY_SIDE, Refused(Code.AMBIGUOUS_GEOMETRY, "same plane")),
    Case(
        "row and column direction not at right angles",
        written(changed(_shear_axes)),
        (Refused(Code.AMBIGUOUS_GEOMETRY, "orientation"),),
        guess=True,
    ),
    Case(
        "direction cosines that are no unit vectors",
        written(changed(_long_axes)),
        (Refused(Code.AMBIGUOUS_GEOMETRY, "orientation"),),
        guess=True,
    ),
    Case(
        "one slice turned a little",
        written(changed(_turn_one, shape=(120, 140))),
        (Refused(Code.AMBIGUOUS_GEOMETRY, "parallel"),),
    ),
    Case(
        "slices tiled into a mosaic",
        written(changed(_mosaic)),
        (Refused(Code.FRAMES_UNPLACED, "number of tiles"),) * 8,
    ),
    Case(
        "one slice of another pixel spacing",
        written(changed(_widen_one, shape=(180, 10))),
        (Refused(Code.AMBIGUOUS_GEOMETRY, "spacing"),),
    ),
    Case(
        "thickness, location and number that contradict the positions",
        written(changed(_false_thickness)),
        (volume(),),
    ),
    _without("ImagePositionPatient", "ImageOrientationPatient"),
    _without("ImageOrientationPatient"),
    _without("PixelSpacing"),
    _half_unplaced(),
)
