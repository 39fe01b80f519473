"""Opens, runs and closes the widget many times, or cancels it at random: ``python -m tests.soak --cycles N``.

A cycle makes a viewer, docks the widget, opens a study, marks references, runs, explains, and
closes everything. What a process holds is measured after each: resident memory, threads, open
files, Qt widgets, napari viewers, child processes, objects of this package, tensors. ``--napari-alone``
opens and closes a viewer with as many layers and without the widget: what napari itself leaves behind.
``--runs N`` runs N times in one viewer, another reference left out each time; ``--cancels N`` cancels a
run at N random moments, and runs once to the end after each tenth.
Needs a display; ends with 1 if anything grew.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psutil

from napari_d24fad.settings import FEATURES_LIMIT_VARIABLE

SETTLED = 5
"""Cycles after which nothing may grow: the first ones import, compile and fill caches."""

GROWTH = {
    "rss_mib": 0.5,  # a closed napari window leaves about 220 objects behind
    "threads": 0.0,
    "files": 0.0,
    "widgets": 0.0,
    "viewers": 0.0,
    "children": 0.0,
    "own": 0.0,
    "tensors": 0.0,
}
"""Most that each may grow in a cycle, in the slope over the settled cycles."""

_PACKAGE = "napari_d24fad"
_LAYERS = 2


def measure() -> dict[str, float]:
    """Returns what this process holds now."""
    import napari
    from qtpy.QtCore import QEvent
    from qtpy.QtWidgets import QApplication

    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        gc.collect()
    process = psutil.Process()
    return {
        "rss_mib": process.memory_info().rss / 2**20,
        "threads": threading.active_count(),
        "files": process.num_fds() if hasattr(process, "num_fds") else process.num_handles(),
        "widgets": len(QApplication.allWidgets()),
        "viewers": len(napari.Viewer._instances) if hasattr(napari.Viewer, "_instances") else 0,
        "children": len(process.children(recursive=True)),
        **_objects(),
    }


def _objects() -> dict[str, float]:
    """Counts objects, those of this package's classes, and tensors."""
    kinds = Counter(map(type, gc.get_objects()))
    modules = Counter[str]()
    for kind, count in kinds.items():
        modules[str(vars(kind).get("__module__")).partition(".")[0]] += count
    tensors = sum(count for kind, count in kinds.items() if kind.__name__ == "Tensor")
    return {"objects": kinds.total(), "own": modules[_PACKAGE], "tensors": tensors}


class Session:
    """A viewer with the widget, a study open and its roles given."""

    def __init__(self, study: Path) -> None:
        import napari

        from napari_d24fad.viewer.dock import DetectionDock
        from napari_d24fad.viewer.gallery.roles import Role

        self.viewer = napari.Viewer(show=False)
        self.dock = DetectionDock(self.viewer)
        self.viewer.window.add_dock_widget(self.dock)
        self.dock.open([study])
        self.settle()
        query, *references = self.dock.gallery.series
        for series in references:
            self.dock.gallery.set_role(series, Role.REFERENCE)
        self.dock.gallery.set_role(query, Role.QUERY)

    def settle(self) -> None:
        """Waits until the widget has nothing more to do."""
        from qtpy.QtWidgets import QApplication

        from napari_d24fad.viewer.running.workers import Worker

        dock = self.dock
        while (
            dock.jobs.is_busy
            or dock.live.is_busy
            or dock.filling.previews.is_busy
            or dock.result_view.is_busy
            or any(not worker.is_over for worker in Worker._running)
        ):
            QApplication.processEvents()
            time.sleep(0.002)

    def run(self) -> None:
        """Runs to the end, and explains a slice."""
        self.dock.run()
        self.settle()
        self.dock.results.why_section.set_unfolded(True)
        self.settle()

    def cancel_after(self, seconds: float) -> bool:
        """Runs and cancels; returns whether there was still something to cancel."""
        from qtpy.QtWidgets import QApplication

        self.dock.run()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            QApplication.processEvents()
            time.sleep(0.001)
        was_busy = self.dock.jobs.is_busy
        self.dock.jobs.cancel()
        self.settle()
        return bool(was_busy)

    def close(self) -> None:
        """Closes the viewer as a user does."""
        self.viewer.close()
        del self.viewer, self.dock


def cycle(study: Path) -> None:
    """Opens, runs and closes once."""
    session = Session(study)
    session.run()
    if session.dock.examination is None:
        raise AssertionError(session.dock.run_panel.message)
    session.close()


def runs(study: Path, count: int) -> list[dict[str, float]]:
    """Runs many times in one viewer, each time with other references.

    Returns:
        What is held after each run.

    Raises:
        AssertionError: If a run ends without an examination.
    """
    from napari_d24fad.viewer.gallery.roles import Role

    session = Session(study)
    references = session.dock.gallery.series[1:]
    measured = []
    for number in range(count):
        left_out = references[number % len(references)]
        session.dock.gallery.set_role(left_out, Role.NONE)
        session.run()
        if session.dock.examination is None:
            raise AssertionError(session.dock.run_panel.message)
        session.dock.gallery.set_role(left_out, Role.REFERENCE)
        session.settle()
        measured.append(measure())
    session.close()
    return measured


def napari_alone() -> None:
    """Opens a viewer with layers and without the widget, and closes it."""
    import napari
    import numpy as np

    viewer = napari.Viewer(show=False)
    for _ in range(_LAYERS):
        viewer.add_image(np.zeros((4, 8, 8), np.float32))
    viewer.close()


def cancels(study: Path, count: int, seed: int = 0) -> tuple[int, float]:
    """Cancels runs at random moments, each in the time that a whole run takes.

    Returns:
        How many were really stopped, and the longest wait for the widget to be usable again, in s.

    Raises:
        AssertionError: If the widget could not be used afterwards.
    """
    draw = random.Random(seed)
    os.environ[FEATURES_LIMIT_VARIABLE] = "0"  # references are encoded every time
    session = Session(study)
    session.run()  # imports torch
    session.dock._session = type(session.dock._session)()
    started = time.monotonic()
    session.dock.run()
    session.settle()
    whole = time.monotonic() - started
    stopped, longest = 0, 0.0
    for number in range(1, count + 1):
        session.dock._session = type(session.dock._session)()  # nothing is kept, so that there is work
        moment = draw.uniform(0, whole)
        began = time.monotonic()
        stopped += session.cancel_after(moment)
        longest = max(longest, time.monotonic() - began - moment)
        if not session.dock.run_panel.run_button.isEnabled():
            raise AssertionError("the widget is not usable")
        if number % 10 == 0 or number == count:
            session.run()
            if session.dock.run_panel.message:
                raise AssertionError(session.dock.run_panel.message)
    session.close()
    return stopped, longest


def slopes(measured: Sequence[dict[str, float]]) -> dict[str, float]:
    """Returns by how much each quantity grew in a cycle, by least squares over the settled cycles."""
    settled = measured[SETTLED:]
    if len(settled) < 2:
        return dict.fromkeys(GROWTH, 0.0)
    at = range(len(settled))
    names = settled[0]
    return {name: statistics.linear_regression(at, [one[name] for one in settled]).slope for name in names}


def _grown(what: str, measured: Sequence[dict[str, float]]) -> dict[str, float]:
    """Prints how much was held, and returns what grew more than it may."""
    growth = slopes(measured)
    print(f"{len(measured)} {what}: first {measured[0]}, last {measured[-1]}")
    print(f"growth per turn after the first {SETTLED}: {growth}")
    return {name: value for name, value in growth.items() if value > GROWTH.get(name, value)}


def main(words: Sequence[str] | None = None) -> int:
    """Does what is asked and prints what was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=0)
    parser.add_argument("--napari-alone", action="store_true", help="cycles of a viewer without the widget")
    parser.add_argument("--runs", type=int, default=0, help="in one viewer")
    parser.add_argument("--cancels", type=int, default=0)
    parser.add_argument("--log", type=Path, help="what was measured after each cycle, as JSON lines")
    arguments = parser.parse_args(words)
    from tests.heads import write_study

    grown: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        study = write_study(Path(place))
        measured = []
        for _ in range(arguments.cycles):
            napari_alone() if arguments.napari_alone else cycle(study)
            measured.append(measure())
            if arguments.log:
                with arguments.log.open("a", encoding="utf-8") as log:
                    log.write(json.dumps(measured[-1]) + "\n")
        if measured:
            grown = _grown("cycles", measured)
        if arguments.runs:
            grown |= _grown("runs in one viewer", runs(study, arguments.runs))
        if arguments.cancels:
            stopped, longest = cancels(study, arguments.cancels)
            left = measure()
            print(f"{arguments.cancels} cancels: {stopped} stopped a run, longest wait {longest:.2f} s")
            print(f"left: {left}")
    print("nothing grew" if not grown else f"GREW: {grown}")
    return int(bool(grown))


if __name__ == "__main__":
    sys.exit(main())
