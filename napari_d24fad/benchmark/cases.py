"""What a reading list of many small scans adds to each of them, in time and memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import psutil
from PIL import Image

from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.session.cases.listed import Outcome
from napari_d24fad.session.cases.queue import CaseQueue
from napari_d24fad.session.cases.store import CaseStore
from napari_d24fad.session.opening import open_paths
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.saved.session_file import read_session, save_session
from napari_d24fad.session.session import DetectionSession

if TYPE_CHECKING:
    from napari_d24fad.detection.streaming import PartialMap

_REFERENCES, _SIDE = 3, 64
_SETTLED = 0.25
"""Share of the cases after which memory is looked at first: libraries have taken what they need."""


@dataclass(frozen=True, slots=True)
class ListSpeed:
    """What a reading list takes.

    Attributes:
        cases: Images of 64 x 64 pixels, against three references, with the embedded model.
        examine_ms: Of examining one.
        list_ms: What the list adds to it: findings, the file, progress.
        again_ms: Until a result is back from its file.
        growth_kib: Memory that each of the last three quarters of the cases added.
        save_s: Seconds to save a session of all.
        open_s: Seconds to read it, one result at a time.
    """

    cases: int
    examine_ms: float
    list_ms: float
    again_ms: float
    growth_kib: float
    save_s: float
    open_s: float


class _Timed(DetectionSession):
    """Adds up how long the examinations themselves take."""

    seconds = 0.0

    def run(
        self,
        request: Request,
        progress: Progress,
        cancel: CancelToken,
        show: Callable[[PartialMap], None] | None = None,
        start: int | None = None,
    ) -> Examination:
        began = time.perf_counter()
        examination = super().run(request, progress, cancel, show, start)
        self.seconds += time.perf_counter() - began
        return examination


def measure_cases(count: int, device: str, progress: Progress, cancel: CancelToken) -> ListSpeed:
    """Examines made-up images one after the other, as *Examine all* does.

    Args:
        count: How many.
        device: Where to compute, by name.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        D24fadError: The embedded model is not there.
        Cancelled: If a stop was asked for.
    """
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        series = open_paths([_written(folder / "images", count + _REFERENCES)]).series
        references, store, outcomes = series[:_REFERENCES], CaseStore(), list[Outcome]()
        requests = [Request(each, references, "compact", device) for each in series[_REFERENCES:]]
        session, memory = _Timed(), dict[int, int]()

        def tell(outcome: Outcome) -> None:
            outcomes.append(outcome)
            memory[len(outcomes)] = psutil.Process().memory_info().rss

        session.prepare(requests[0], part(progress, 0, 0.1), cancel)
        began = time.perf_counter()
        CaseQueue(session, requests, store).run(tell, part(progress, 0.1, 0.9), cancel)
        whole = time.perf_counter() - began
        settled = max(1, round(_SETTLED * count))
        growth = (memory[count] - memory[settled]) / max(1, count - settled)
        again = time.perf_counter()
        for outcome in outcomes:
            outcome.read()
        saving = time.perf_counter()
        save_session((each.read() for each in outcomes), folder / "all.d24fad", cancel=cancel)
        opening = time.perf_counter()
        for _ in read_session(folder / "all.d24fad", at_once=False).cases:
            cancel.check()
        ended = time.perf_counter()
        return ListSpeed(
            count,
            1000 * session.seconds / count,
            1000 * (whole - session.seconds) / count,
            1000 * (saving - again) / count,
            growth / 1024,
            opening - saving,
            ended - opening,
        )


def cases_text(measured: ListSpeed) -> str:
    """Returns the measurement in a few lines."""
    return "\n".join(
        (
            f"{measured.cases} images examined one after the other: {measured.examine_ms:.1f} ms each,",
            f"{measured.list_ms:.1f} ms more for the list; a result is back in {measured.again_ms:.1f} ms;",
            f"memory grew by {measured.growth_kib:.0f} KiB a case;",
            f"a session of all is saved in {measured.save_s:.1f} s and read in {measured.open_s:.1f} s",
        )
    )


def _written(folder: Path, count: int) -> Path:
    folder.mkdir()
    rows, columns = np.mgrid[:_SIDE, :_SIDE] / _SIDE
    for number in range(count):
        noise = np.random.default_rng(number).normal(0, 6, (_SIDE, _SIDE))
        picture = 120 + 60 * np.sin(6 * rows) * np.cos(5 * columns) + noise
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{number:04d}.png")
    return folder
