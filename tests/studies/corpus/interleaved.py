"""Volumes in one series that share no position: their slices interleave, or follow each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydicom.dataset import Dataset

from napari_d24fad.errors import Code
from tests.studies.corpus.build import changed, even, positions, slices, volume, written
from tests.studies.corpus.case import Case, Refused, Volume

_SPLIT = (Code.SPLIT_SERIES,)


def _two(
    change: Callable[[Dataset, int], object], first: Sequence[float], second: Sequence[float]
) -> Callable[[], list[Dataset]]:
    """Slices of two volumes at these distances, told apart by what ``change`` sets for 0 and 1."""

    def make() -> list[Dataset]:
        datasets = []
        for turn, distances in enumerate((first, second)):
            for dataset in slices(positions(distances)):
                dataset.InstanceNumber = len(datasets) + 1
                change(dataset, turn)
                datasets.append(dataset)
        return datasets

    return make


def _set(name: str, *values: object) -> Callable[[Dataset, int], None]:
    return lambda dataset, turn: setattr(dataset, name, values[turn])


_EVERY_OTHER, _BETWEEN = even(6, 8.0), np.add(even(6, 8.0), 4.0).tolist()
_BELOW, _ABOVE = even(5), np.add(even(5), 20.0).tolist()


def _part(distances: Sequence[float], name: str) -> Volume:
    return volume(places=positions(distances), problems=_SPLIT, name=name)


def _interleaved(name: str, change: Callable[[Dataset, int], object], *names: str) -> Case:
    return Case(
        f"two volumes that interleave, told apart by {name}",
        written(_two(change, _EVERY_OTHER, _BETWEEN)),
        (_part(_EVERY_OTHER, names[0]), _part(_BETWEEN, names[1])),
    )


def _counted_twice() -> list[Dataset]:
    datasets = slices(positions(even(12)))
    for index, dataset in enumerate(datasets):
        dataset.InstanceNumber = index // 2 + 1
    return datasets


def _counted_by_bed(dataset: Dataset, index: int) -> None:
    """One volume in two beds, each of which counts its slices from 1."""
    dataset.InstanceNumber = index % 4 + 1


def _one_kernel(dataset: Dataset, index: int) -> None:
    dataset.ConvolutionKernel = "B70" if index == 3 else "B30"


def _times(dataset: Dataset, index: int) -> None:
    """What may change from slice to slice of one volume."""
    dataset.AcquisitionNumber, dataset.AcquisitionTime = index % 2 + 1, f"12000{index % 2}"
    dataset.TriggerTime, dataset.FlipAngle, dataset.EchoTime = str(index * 30), "90", f"4.600{index % 2}"


def _spacings(lower: float, upper: float, between: float, number: int = 6) -> list[float]:
    below = even(number, lower)
    return [*below, *np.add(even(number, upper), below[-1] + between).tolist()]


def _thick(distances: Sequence[float], thicknesses: Sequence[float] = ()) -> Callable[[], list[Dataset]]:
    def make() -> list[Dataset]:
        datasets = slices(positions(distances))
        for index, dataset in enumerate(datasets):
            if thicknesses:
                dataset.SliceThickness = str(thicknesses[2 * index // len(datasets)])
        return datasets

    return make


def _two_spacings(name: str, distances: list[float], thicknesses: Sequence[float], *names: str) -> Case:
    half = len(distances) // 2
    return Case(
        name,
        written(_thick(distances, thicknesses)),
        (_part(distances[:half], names[0]), _part(distances[half:], names[1])),
    )


_TIMES = _spacings(4.0, 8.0, 8.0, 5)

CASES = (
    _interleaved("kernel", _set("ConvolutionKernel", "B30", "B70"), "kernel B30", "kernel B70"),
    _interleaved("echo", _set("EchoNumbers", 1, 2), "echo 1", "echo 2"),
    _interleaved("echo time", _set("EchoTime", "4.6", "9.2"), "echo time 4.6", "echo time 9.2"),
    _interleaved(
        "image type",
        _set("ImageType", ["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]),
        "type M",
        "type P",
    ),
    _interleaved("contrast", _set("ContrastBolusAgent", "", "OMNIPAQUE"), "no contrast", "contrast 2"),
    _interleaved(
        "description", _set("SeriesDescription", "Head soft", "Head bone"), "description 1", "description 2"
    ),
    _interleaved("series number", _set("SeriesNumber", 4, 5), "series 4", "series 5"),
    _interleaved("thickness", _set("SliceThickness", "5", "2.5"), "5 mm slices", "2.5 mm slices"),
    Case(
        "two volumes that interleave, told apart by numbers that occur twice",
        written(_counted_twice),
        (_part(even(6, 8.0), "part 1"), _part(np.add(even(6, 8.0), 4.0).tolist(), "part 2")),
    ),
    Case("one volume whose numbers occur twice, bed by bed", written(changed(_counted_by_bed)), (volume(),)),
    Case(
        "two volumes that follow each other, told apart by kernel",
        written(_two(_set("ConvolutionKernel", "B30", "B70"), _BELOW, _ABOVE)),
        (_part(_BELOW, "kernel B30"), _part(_ABOVE, "kernel B70")),
    ),
    Case(
        "one slice of another kernel",
        written(changed(_one_kernel)),
        (volume(problems=(Code.MIXED_TRAITS,)),),
    ),
    Case("what changes from slice to slice of one volume", written(changed(_times)), (volume(),)),
    _two_spacings(
        "two spacings, told apart by thickness",
        _spacings(4.0, 7.0, 1.1),
        (4, 7),
        "4 mm slices",
        "7 mm slices",
    ),
    _two_spacings(
        "two spacings of one stated thickness", _spacings(3.0, 5.0, 4.0), (), "every 3 mm", "every 5 mm"
    ),
    _two_spacings(
        "one spacing twice the other, told apart by thickness",
        _spacings(4.0, 8.0, 6.0),
        (4, 8),
        "4 mm slices",
        "8 mm slices",
    ),
    Case(
        "every second slice missing in one half",
        written(_thick(_TIMES)),
        (
            Refused(
                Code.MISSING_SLICE,
                "4.00 to 8.00 mm",
                volume(
                    places=positions(even(15)), problems=(Code.RESAMPLED,), label="resampled", tolerance=1.01
                ),
            ),
        ),
    ),
)
