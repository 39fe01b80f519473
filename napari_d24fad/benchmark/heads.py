"""Heads by CT held against references place by place, as a session goes about it."""

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

from napari_d24fad.benchmark.phantom import MATRIX, write_head
from napari_d24fad.benchmark.volume import REFERENCES, Step, VolumeSpeed
from napari_d24fad.memory import highest_mib, resident_mib
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.session.feature_cache import FeatureCache
from napari_d24fad.session.kept_atlases import KeptAtlases
from napari_d24fad.session.loaded import Loaded
from napari_d24fad.session.request import Request
from napari_d24fad.studies.study import open_study

FEW = 30
"""Slices of a usual head CT."""

_CACHE = 2**34
Result = TypeVar("Result")


def measure_heads(
    slices: int, progress: Progress, cancel: CancelToken, matrix: int = MATRIX, few: int = FEW
) -> VolumeSpeed:
    """Writes made-up heads to a temporary folder and measures every step with them, on the CPU.

    Args:
        slices: Of one of the references and of one of the scans to examine; the others have ``few``.
        progress: Told how far it is.
        cancel: Asked before and after; the measuring itself runs in a process of its own, whose memory
            is nobody else's.
        matrix: Rows and columns of a slice.
        few: Slices of the others.

    Raises:
        Cancelled: If a stop was asked for.
    """
    cancel.check()
    with TemporaryDirectory() as temporary:
        progress(0.0, "Writing heads")
        _write(Path(temporary), slices, matrix, few)
        cancel.check()
        progress(0.3, "Examining heads")
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            return pool.submit(_measure, Path(temporary), slices).result()


def _write(folder: Path, slices: int, matrix: int, few: int) -> None:
    for number in range(REFERENCES + 2):
        count = slices if number in (0, REFERENCES) else few
        write_head(folder / str(number) / "volume.nii", number, count, matrix)


@dataclass
class _Steps:
    taken: list[Step]

    def take(self, name: str, work: Callable[[], Result], asked: float | None = None) -> Result:
        started, before = time.perf_counter(), time.process_time()
        result = work()
        seconds, processor = time.perf_counter() - started, time.process_time() - before
        self.taken.append(Step(name, seconds, asked, processor))
        return result


def _measure(folder: Path, slices: int) -> VolumeSpeed:
    series = [open_study(folder / str(number)).series[0] for number in range(REFERENCES + 2)]
    references, few, many = tuple(series[:REFERENCES]), series[-1], series[-2]
    cache, steps, cancel = FeatureCache(folder / "kept", _CACHE), _Steps([]), CancelToken()
    before = resident_mib()
    request = Request(few, references, "compact", "cpu")
    learning = partial(Loaded(request, 4, cache).prepare, request, silent, cancel)
    steps.take(f"read and learn {REFERENCES} references", learning)
    del learning
    steps.take("open the measured set again", lambda: _reopen(request, cache), 1.0)
    again = Loaded(request, 4, cache)
    steps.take("open it again with all features", lambda: again.prepare(request, silent, cancel))
    for query, asked in ((few, 5.0), (many, 15.0)):
        count = query.grid[query.outline.slice_axis]
        _examine(again, Request(query, references, "compact", "cpu"), steps, f"{count} slices", asked)
    return VolumeSpeed("compact", slices, tuple(steps.taken), highest_mib() - before)


def _reopen(request: Request, cache: FeatureCache) -> None:
    from napari_d24fad.detection.plans.head_ct import head_ct_plan

    kept, plan = KeptAtlases(cache), head_ct_plan()
    found = [kept.find(each, plan, plan.direction) for each in request.references]
    kept.references([each for each in found if each is not None], plan, plan.direction)


def _examine(loaded: Loaded, request: Request, steps: _Steps, name: str, asked: float) -> None:
    started, before = time.perf_counter(), time.process_time()
    cancel = CancelToken()
    query, encoded = steps.take(
        f"{name}: read, and compare a few with the references",
        lambda: loaded.encode(request, None, None, silent, cancel),
    )
    known = loaded.reference_set(request, encoded, silent, cancel)
    work = partial(loaded.examine, request, query, known, silent, cancel)
    steps.take(f"{name}: place, compare, draw the map", work)
    seconds, processor = time.perf_counter() - started, time.process_time() - before
    steps.taken.append(Step(f"{name}: all of it, from reading to the map", seconds, asked, processor))
