"""How long it takes to list a disc of thousands of files, and until its first series is there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from napari_d24fad.benchmark.phantom import write_dicom
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.session.opening import open_paths

_SLICES, _MATRIX = 200, 64
_ASKED_S, _FIRST_ASKED_S = 20.0, 1.0


@dataclass(frozen=True, slots=True)
class DiscSpeed:
    """What a disc takes.

    Attributes:
        files: On the disc, all of them CT slices in series of 200.
        series: That were listed.
        first_s: Seconds until the first series can be clicked.
        seconds: Until all are listed.
        cpu_s: Seconds of computing in all.
    """

    files: int
    series: int
    first_s: float
    seconds: float
    cpu_s: float


def measure_disc(files: int, progress: Progress, cancel: CancelToken) -> DiscSpeed:
    """Writes made-up series to a temporary folder and lists them, as the viewer does.

    Args:
        files: How many.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        Cancelled: If a stop was asked for.
    """
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number, first in enumerate(range(0, files, _SLICES)):
            cancel.check()
            progress(0.5 * first / files, "Writing a disc")
            write_dicom(folder / f"S{number:03d}", number, min(_SLICES, files - first), _MATRIX)
        told: list[float] = []
        began, computed = time.perf_counter(), time.process_time()
        study = open_paths(
            [folder],
            part(progress, 0.5, 1),
            cancel,
            early=lambda series: told.append(time.perf_counter() - began),
        )
        seconds = time.perf_counter() - began
        first_s = told[0] if told else seconds
        return DiscSpeed(files, len(study.rows), first_s, seconds, time.process_time() - computed)


def disc_text(measured: DiscSpeed) -> str:
    """Returns the measurement in one line."""
    parts = (
        f"A disc of {measured.files} files, {measured.series} series:",
        f"the first after {measured.first_s:.1f} s (asked {_FIRST_ASKED_S:g} s),",
        f"all after {measured.seconds:.1f} s (asked {_ASKED_S:g} s for 8000),",
        f"{measured.cpu_s:.1f} s of computing",
    )
    return " ".join(parts)
