"""Measures how long a session takes to be back in a viewer that is open, with the dock in it.

    python -m tests.viewer.sessions.reopening [--films 40]

Another process examines so many films and saves the session. This one opens a window, waits until it is at
rest, opens the session, and prints what it computed until the result in front is drawn, and until all are
back. It is no test: other work on the machine lengthens what it measures.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests import isolation

isolation.isolate()  # before napari reads where its settings are

from npe2 import PluginManager  # noqa: E402
from qtpy.QtWidgets import QApplication  # noqa: E402

from tests.viewer.many import write_films  # noqa: E402
from tests.viewer.walk.hands import open_window, rest  # noqa: E402
from tests.viewer.watchdog import Watchdog  # noqa: E402

_SIZE, _SIDE, _REFERENCES, _AT_REST = (1280, 800), 224, 8, 3.0
_NAME = "day.d24fad"


def make(folder: Path) -> None:
    """Examines all films of a folder and saves the session in it."""
    hands = open_window(_SIZE)
    hands.mark(hands.open([folder / "films"])[:_REFERENCES])
    hands.dock.gallery.queue_bar.examine_button.click()
    hands.rest()
    hands.dock.keeping.save_session(hands.dock.examination, folder / _NAME)
    hands.rest()
    hands.close()


def reopen(path: Path) -> None:
    """Opens a session, and prints what that took."""
    PluginManager.instance().discover()  # as napari does before its window opens
    hands = open_window(_SIZE)
    dock = hands.dock
    rest(dock, _AT_REST)
    with Watchdog() as watchdog:
        watchdog.step("open the session")
        began = time.perf_counter(), time.thread_time(), time.process_time()
        dock.open([path])
        while dock.maps.result_layer is None:
            QApplication.processEvents()
            time.sleep(0.001)
        QApplication.processEvents()  # which draws it
        _tell("the result in front is drawn", began)
        rest(dock)
        _tell("all are back", began)
    print(f"{len(dock.cases.order)} results")
    print(watchdog)
    hands.close()


def _tell(what: str, began: tuple[float, float, float]) -> None:
    clock, window, process = time.perf_counter(), time.thread_time(), time.process_time()
    print(
        f"{what}: {window - began[1]:.2f} s of the thread of the window, {process - began[2]:.2f} s of all "
        f"threads, {clock - began[0]:.2f} s by the clock"
    )


def main() -> None:
    """Makes a session in another process, and opens it in this one."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--films", type=int, default=40)
    asked.add_argument("--make", type=Path, help="a folder with films; for the other process")
    given = asked.parse_args()
    if given.make:
        make(given.make)
        return
    with tempfile.TemporaryDirectory() as made:
        write_films(Path(made) / "films", given.films, _SIDE)
        subprocess.run([sys.executable, "-m", "tests.viewer.sessions.reopening", "--make", made], check=True)
        reopen(Path(made) / _NAME)


if __name__ == "__main__":
    main()
    isolation.clean()
