"""A large CT volume against reference volumes, step by step as the viewer goes about it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
import torch

from napari_d24fad.benchmark.phantom import MATRIX, write_dicom, write_nifti
from napari_d24fad.benchmark.product import now
from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examination import examine_slice
from napari_d24fad.detection.published import SSD, TSD, Distance, PublishedDistances
from napari_d24fad.detection.references.calibration import FloatArray
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.memory import highest_mib, resident_mib
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.session.feature_cache import FeatureCache
from napari_d24fad.session.kept_references import KeptReferences
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study

REFERENCES = 8
_CHANGES = 40
_CACHE = 2**34
_FIRST = 8
_AT_ONCE = 4
"""Slices of a distance that the viewer draws together."""
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Step:
    """What one step takes.

    Attributes:
        name: What is done.
        seconds: How long it takes; for many of a kind, the 95th percentile.
        asked: How long it may take on two CPU cores by the project's own demand; None for no demand.
        processor: Seconds of all cores together, which others who use them change less; None if not taken.
    """

    name: str
    seconds: float
    asked: float | None = None
    processor: float | None = None


@dataclass(frozen=True, slots=True)
class VolumeSpeed:
    """What a volume takes.

    Attributes:
        model: The name of the model.
        slices: Of the scan to examine and of each reference.
        steps: In the order they were taken.
        memory_mib: Highest resident memory above what the imports take.
    """

    model: str
    slices: int
    steps: tuple[Step, ...]
    memory_mib: float


def measure_volume(
    detector: Detector, slices: int, progress: Progress, cancel: CancelToken, matrix: int = MATRIX
) -> VolumeSpeed:
    """Writes made-up volumes to a temporary folder and measures every step with them.

    Args:
        detector: With the default scoring.
        slices: Of each volume.
        progress: Told how far it is.
        cancel: Stops it.
        matrix: Rows and columns of a slice.

    Raises:
        Cancelled: If a stop was asked for.
    """
    before = resident_mib()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _write(folder, slices, matrix, progress, cancel)
        steps = _Steps(detector.device, progress, cancel)
        _read(folder, steps)
        known = _references(folder, detector, steps)
        _examine(folder, detector, known, steps)
        memory = highest_mib() - before
    return VolumeSpeed(detector.model.card.name, slices, tuple(steps.taken), memory)


class _Steps:
    """Takes the time of one step after the other."""

    def __init__(self, device: torch.device, progress: Progress, cancel: CancelToken) -> None:
        self._device = device
        self.taken: list[Step] = []
        self._progress, self.cancel = progress, cancel

    def take(self, name: str, work: Callable[[], Result], asked: float | None = None) -> Result:
        self.cancel.check()
        self._progress(0.4 + 0.6 * min(1.0, len(self.taken) / 15), name)
        started = now(self._device)
        result = work()
        self.taken.append(Step(name, now(self._device) - started, asked))
        return result


def _write(folder: Path, slices: int, matrix: int, progress: Progress, cancel: CancelToken) -> None:
    # In a process of its own: what it needs is not what a run needs.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        for number in range(REFERENCES + 1):
            cancel.check()
            progress(0.4 * number / (REFERENCES + 1), "Writing volumes")
            (folder / str(number)).mkdir()
            pool.submit(write_nifti, folder / str(number) / "volume.nii", number, slices, matrix).result()
        pool.submit(write_dicom, folder / "dicom", 0, slices, matrix).result()


def _read(folder: Path, steps: _Steps) -> None:
    study = steps.take("find a DICOM series of as many files", lambda: open_study(folder / "dicom"), 1.5)
    steps.take("read it", lambda: study.series[0].load(), 3.0)


def _references(folder: Path, detector: Detector, steps: _Steps) -> References:
    cache = FeatureCache(folder / "features", _CACHE)
    series = [open_study(folder / str(number)).series[0] for number in range(1, REFERENCES + 1)]
    _encode(KeptReferences(detector, cache), series, steps)

    def reopen() -> References:
        again = KeptReferences(detector, cache)
        found = [again.find(each) for each in series]
        return again.reference_set([each for each in found if each is not None])

    return steps.take("open them again from the disk", reopen, 1.0)


def _encode(kept: KeptReferences, series: list[Series], steps: _Steps) -> None:
    name = f"read and encode {REFERENCES} references"
    encoded = steps.take(name, lambda: [kept.encode(each.load(), each) for each in series])
    steps.take("examine them against each other", lambda: kept.reference_set(encoded))


def _examine(folder: Path, detector: Detector, known: References, steps: _Steps) -> None:
    series = open_study(folder / "0").series[0]
    started = time.perf_counter()
    scan = steps.take("read the scan to examine", series.load)

    def first() -> None:
        prepared = detector.prepare(scan)
        middle = len(prepared.examined) // 2
        chosen = range(middle, min(middle + _FIRST, len(prepared.examined)))
        part = detector.encode_slices(scan, prepared, chosen, silent, steps.cancel)
        examine_slice(known.alignment.compare(part, known.encoded), 0, known, known.shares)

    steps.take("first slices on the screen, reading not counted", first, 3.0)
    query = steps.take("encode the scan", lambda: detector.encode_scan(scan))
    steps.take("compare it and draw the map", lambda: detector.examine(query, known))
    steps.taken.append(Step("all of it, from reading to the map", time.perf_counter() - started, 60.0))
    steps.taken.append(Step("live: a reference less, the slice shown", _changes(query, known), 0.1))

    def rescore() -> None:
        fewer = detector.reference_set(known.encoded[1:], alignment=known.alignment)
        detector.examine(query, fewer)

    steps.take("live: a reference less, the whole volume", rescore, 2.0)
    distances, values = PublishedDistances(detector, query, known), np.zeros(scan.grid, np.float32)
    for name in (SSD, TSD):
        few = steps.take(f"live: {name}, the whole volume", partial(_draw, distances, values, name), 2.0)
        # At worst a slice is asked for when the drawing of a few others has just begun.
        both = (few, _draw(distances, values, name, at_once=1))
        slowest = sum(float(np.percentile(each, 95)) for each in both)
        steps.taken.append(Step(f"live: {name}, the slice shown", slowest, 0.1))


def _draw(
    distances: PublishedDistances, values: FloatArray, name: Distance, at_once: int = _AT_ONCE
) -> list[float]:
    """Draws every slice, a few at once, and returns how long each few took."""
    seconds = []
    for first in range(0, len(values), at_once):
        started = time.perf_counter()
        distances.draw(values, range(first, min(first + at_once, len(values))), name)
        seconds.append(time.perf_counter() - started)
    return seconds


def _changes(query: EncodedScan, known: References) -> float:
    """95th percentile of the time in which one slice follows another choice of references."""
    seconds = []
    for change in range(_CHANGES):
        out = change % len(known.encoded)
        chosen = [each for at, each in enumerate(known.encoded) if at != out]
        started = time.perf_counter()
        compared = known.alignment.compare(query, chosen)
        examine_slice(compared, len(query.indices) // 2, known, known.shares[1:])
        seconds.append(time.perf_counter() - started)
    return float(np.percentile(seconds, 95))
