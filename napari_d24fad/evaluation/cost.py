"""What one examination costs a user: time per scan and memory of a process that does nothing else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from napari_d24fad.detection.encoding.devices import device_faults
from napari_d24fad.errors import Code, ModelError
from napari_d24fad.memory import highest_mib
from napari_d24fad.studies.scan import Scan

_QUERIES = 8


@dataclass(frozen=True, slots=True)
class Cost:
    """Measured on the machine at hand, in a process of its own.

    Attributes:
        seconds: Time to examine one scan once the references are encoded (median).
        memory_mib: Highest memory of the process: resident memory on a CPU,
            memory allocated by torch on a GPU.
    """

    seconds: float
    memory_mib: float


def measure_cost(
    model: str | Path, device: str, scoring: str, references: Sequence[Scan], queries: Sequence[Scan]
) -> Cost:
    """Examines some scans in a fresh process.

    Args:
        model: Name or file of the model.
        device: See `choose_device`.
        scoring: ``"paper"`` or ``"matched"``.
        references: Normal scans.
        queries: Scans to examine, at most eight of which are used.

    Raises:
        D24fadError: The scans cannot be examined there; OUT_OF_MEMORY also if the process was killed.
    """
    # Spawned: a forked process would count what this one holds as its own.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        work = pool.submit(_examine, model, device, scoring, references, queries[:_QUERIES])
        try:
            return work.result()
        except BrokenProcessPool as error:
            # Mostly the system killed it for the memory it took.
            raise ModelError(Code.OUT_OF_MEMORY, "The process that examined scans was ended.") from error


def _examine(
    model: str | Path, device: str, scoring: str, references: Sequence[Scan], queries: Sequence[Scan]
) -> Cost:
    from napari_d24fad.detection.detector import Detector

    with device_faults():
        detector = Detector.load(model, device, scoring)
        encoded = detector.encode(references)
        seconds = []
        for query in queries:
            started = time.perf_counter()
            detector.detect(query, encoded)
            seconds.append(time.perf_counter() - started)
    return Cost(sorted(seconds)[len(seconds) // 2], _highest_memory(str(detector.device)))


def _highest_memory(device: str) -> float:
    if device.startswith("cuda"):
        import torch

        return float(torch.cuda.max_memory_allocated(device) / 2**20)
    return highest_mib()
