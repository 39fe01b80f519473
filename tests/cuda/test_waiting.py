"""How often the program waits for the graphics card, which torch can be told to say."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.network.d24fad import build_network
from napari_d24fad.training.data.procedural import procedural_tasks
from napari_d24fad.training.options import TrainingOptions
from napari_d24fad.training.student import train_student
from tests.detection.subjects import head, random_model

pytestmark = pytest.mark.usefixtures("gpu")


@contextmanager
def waits() -> Iterator[list[str]]:
    """Where the program waited inside."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield found
        finally:
            torch.cuda.set_sync_debug_mode("default")
            found += [f"{each.filename}:{each.lineno}" for each in told if "synchroniz" in str(each.message)]


def test_references_are_measured_without_waiting_for_each_pair() -> None:
    detector = Detector(random_model(), "cuda")
    scans = [detector.encode_scan(head(n)) for n in range(8)]
    detector.reference_set(scans)  # what is done once is done
    with waits() as found:
        detector.reference_set(scans)
    assert not any("null.py" in place for place in set(found)) or len(found) < 8 * 7, found


def test_training_waits_once_in_many_steps() -> None:
    options = TrainingOptions(steps=20, groups=2, queries=3, shots=2, side=64)
    tasks = procedural_tasks(2, 8, 72, seed=0)
    with waits() as found:
        train_student(build_network("compact"), tasks, options, normalise=True, device=torch.device("cuda:0"))
    assert not [place for place in found if "optimise.py" in place]
    assert len([place for place in found if "loop.py" in place]) <= 2
