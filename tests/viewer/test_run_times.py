"""How long a run will take is said before it, from what runs took before, also by another viewer."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_d24fad.progress import duration_text
from napari_d24fad.settings import run_times_file
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.run_times import RunTimes
from napari_d24fad.viewer.running.workers import Worker
from tests.viewer.study_in_dock import by_place, open_and_mark


def test_the_second_run_says_how_long_it_takes(
    qtbot, dock: DetectionDock, settle, study_folder: Path
) -> None:
    run_times_file().parent.mkdir(parents=True, exist_ok=True)
    run_times_file().write_text("damaged")
    open_and_mark(qtbot, dock, settle, study_folder, references=2)
    assert dock.run_panel.expected == ""
    dock.run()
    settle(dock)
    took, slices = dock.examination.anomaly.seconds, 10
    assert dock.run_panel.expected == duration_text(took / 3)  # its references are kept
    qtbot.waitUntil(lambda: not Worker._running, timeout=10_000)
    another = RunTimes(dock.examining, dock.gallery, dock.run_panel)
    request = dock.examining.request_for(by_place(dock.gallery)["query"])
    assert another.expected(request) == pytest.approx(took)
    assert request.query.outline.n_slices == slices
    # A list of scans reads its references once, and none of them again.
    assert another.expected_of_all([request, request]) == pytest.approx(took * 4 / 3)
    another.note_queued(request, took)
    assert another.expected_of_all([request, request]) == pytest.approx(2 * (took / 30 + took / 10) / 2 * 10)
    assert another.expected_of_all([]) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "about 1 s"),
        (4.4, "about 4 s"),
        (37, "about 40 s"),
        (125, "about 2 min"),
        (5000, "about 83 min"),
        (9000, "about 2.5 h"),
    ],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
