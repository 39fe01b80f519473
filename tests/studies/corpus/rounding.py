"""What scanners and converters round, and what is more than rounding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydicom.dataset import Dataset

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import GRID, axes, even, positions, slices, volume, written
from tests.studies.corpus.case import Case, Refused, Volume
from tests.studies.corpus.multiframe import enhanced, saved

_SKEW = (
    0.9980103504615,
    0.0452014909236,
    0.0439564055634,
    -0.0342042911651,
    0.9738053317375,
    -0.2247960016224,
)
_SHUFFLED = (3, 0, 6, 4, 1, 7, 2, 5)


def _orientations(dataset: Dataset, values: Sequence[float], digits: int) -> None:
    dataset.ImageOrientationPatient = [f"{value:.{digits}f}" for value in values]


def _written_with(digits: int, orientation: Sequence[float]) -> Callable[[], list[Dataset]]:
    """Directions with so many digits behind the point, places with three."""

    def make() -> list[Dataset]:
        places = positions(even(), orientation)
        datasets = slices(places, orientation)
        for dataset, place in zip(datasets, places, strict=True):
            _orientations(dataset, orientation, digits)
            dataset.ImagePositionPatient = [f"{mm:.3f}" for mm in place]
        return datasets

    return make


def _directions_differ(by: float, shape: tuple[int, int] = GRID[1:]) -> Callable[[], list[Dataset]]:
    """Every other slice states directions that are off by so much."""

    def make() -> list[Dataset]:
        datasets = slices(positions(even(), phantom.OBLIQUE), phantom.OBLIQUE, shape=shape)
        for index, dataset in enumerate(datasets):
            _orientations(dataset, np.add(phantom.OBLIQUE, (index % 2) * by), 12)
        return datasets

    return make


def _turned(by: float, shape: tuple[int, int]) -> Callable[[], list[Dataset]]:
    """Every other slice is turned within its plane."""
    _, down, right = axes(phantom.OBLIQUE)

    def make() -> list[Dataset]:
        datasets = slices(positions(even(), phantom.OBLIQUE), phantom.OBLIQUE, shape=shape)
        for dataset in datasets[::2]:
            _orientations(dataset, [*(right + by * down), *(down - by * right)], 12)
        return datasets

    return make


def _spacing_differs(by: float, shape: tuple[int, int] = GRID[1:]) -> Callable[[], list[Dataset]]:
    def make() -> list[Dataset]:
        datasets = slices(positions(even()), shape=shape)
        for index, dataset in enumerate(datasets):
            dataset.PixelSpacing = [f"{1.5 + (index % 3) * by:.9f}", f"{0.75 + (index % 2) * by:.9f}"]
        return datasets

    return make


def _places_differ(distances: Sequence[float], beside: float = 0.0) -> np.ndarray:
    """Slices at these distances, moved along their rows by turns."""
    _, _, right = axes()
    moved = np.array([(-1) ** index * beside for index in range(len(distances))])
    return positions(distances) + np.outer(moved, right)


def _beds(gaps: Sequence[float]) -> list[float]:
    return [0.0, *np.cumsum(gaps).tolist()]


_BEDS = _beds([3.27] * 6 + [3.31] + [3.27] * 6 + [3.2] + [3.27] * 6)
_THIN = _beds([0.3, 0.31, 0.29, 0.3, 0.3, 0.31, 0.29])
_THIN_MISSING = _beds([0.3, 0.3, 0.6, 0.3, 0.3, 0.3])


def _as_frames(
    places: np.ndarray, change: Callable[[Dataset], object] = lambda _: None
) -> Callable[[], Dataset]:
    def make() -> Dataset:
        dataset = enhanced(places, order=_SHUFFLED[: len(places)] if len(places) == 8 else None)
        change(dataset)
        return dataset

    return make


def _own_directions(by: float) -> Callable[[Dataset], None]:
    """Each frame states its directions itself, rounded differently."""

    def change(dataset: Dataset) -> None:
        del dataset.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
        for index, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
            plane = Dataset()
            plane.ImageOrientationPatient = np.add(phantom.AXIAL, (index % 2) * by).tolist()
            group.PlaneOrientationSequence = [plane]

    return change


def _even(places: np.ndarray, **options: object) -> Volume:
    straight = np.linspace(places[0], places[-1], len(places))
    straight[:, :2] = places[0, :2]
    return volume(places=straight, grid=(len(places), *GRID[1:]), **options)  # type: ignore[arg-type]


def _at(name: str, places: np.ndarray, expected: Volume | Refused) -> Case:
    return Case(name, written(lambda: slices(places)), (expected,))


_JITTER = positions(even()) + np.random.default_rng(5).uniform(-0.04, 0.04, (GRID[0], 3))

CASES = (
    Case("directions of seven digits", written(_written_with(7, _SKEW)), (volume(_SKEW),)),
    Case("directions of five digits", written(_written_with(5, _SKEW)), (volume(_SKEW, tolerance=0.6),)),
    Case(
        "directions that differ in their eighth digit",
        written(_directions_differ(5e-8)),
        (volume(phantom.OBLIQUE),),
    ),
    Case(
        "directions that differ by more than the corner allows",
        written(_turned(9e-4, (100, 140))),
        (Refused(Code.AMBIGUOUS_GEOMETRY, "parallel"),),
    ),
    Case("spacing that differs in its eighth digit", written(_spacing_differs(4e-8)), (volume(),)),
    Case(
        "spacing that differs by more than the corner allows",
        written(_spacing_differs(2e-4, (300, 300))),
        (Refused(Code.AMBIGUOUS_GEOMETRY, "spacing"),),
    ),
    _at("PET beds that meet at other distances", positions(_BEDS), _even(positions(_BEDS), tolerance=0.9)),
    _at("places off by 0.07 mm in every direction", _JITTER, _even(_JITTER, tolerance=1.2)),
    _at("slices beside their line by turns, 0.05 mm", _places_differ(even(), 0.05), volume(tolerance=0.7)),
    _at("thin slices, rounded", positions(_THIN), _even(positions(_THIN), tolerance=0.6)),
    _at(
        "thin slices, one of which is missing",
        positions(_THIN_MISSING),
        Refused(
            Code.MISSING_SLICE,
            "0.30 to 0.60 mm",
            volume(
                places=positions(even(8, 0.3)),
                grid=(8, *GRID[1:]),
                problems=(Code.RESAMPLED,),
                label="resampled",
                tolerance=1.01,
            ),
        ),
    ),
    Case(
        "enhanced, places off by rounding",
        saved(_as_frames(_JITTER)),
        (_even(_JITTER, tolerance=1.0),),
    ),
    Case(
        "enhanced, directions of each frame rounded differently",
        saved(_as_frames(positions(even()), _own_directions(5e-8))),
        (volume(tolerance=0.3),),
    ),
)
