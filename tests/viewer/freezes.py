"""Walks through the dock as a user does and prints the longest freeze of each step.

    python -m tests.viewer.freezes [FOLDER]

The folder has a scan in ``query`` and normal ones in ``reference-1`` and on, as `tests.heads` and the sample
study have; without one, the study of the tests is taken. It is no test: other work on the machine lengthens
what it measures.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests import isolation

isolation.isolate()  # before napari reads where its settings are

import napari  # noqa: E402
from npe2 import PluginManager  # noqa: E402
from qtpy.QtWidgets import QApplication  # noqa: E402

from napari_d24fad.viewer.dock import DetectionDock  # noqa: E402
from napari_d24fad.viewer.find_anomalies import FindAnomalies  # noqa: E402
from napari_d24fad.viewer.gallery.roles import Role  # noqa: E402
from tests.heads import write_study  # noqa: E402
from tests.viewer.walk.hands import rest  # noqa: E402
from tests.viewer.watchdog import Watchdog  # noqa: E402


def _steps(dock: DetectionDock, viewer: napari.Viewer, folder: Path) -> dict[str, Callable[[], object]]:
    references = sorted(folder.glob("reference-*"))
    results = dock.results

    def series(place: str) -> object:
        return next(each for each in dock.gallery.series if place in str(each.source))

    def mark() -> None:
        for path in references:
            dock.gallery.set_role(series(f"/{path.name}"), Role.REFERENCE)
        dock.gallery.set_role(series("/query"), Role.QUERY)

    def leaf() -> None:
        for index in range(int(viewer.dims.nsteps[0])):
            viewer.dims.set_current_step(0, index)
            QApplication.processEvents()

    def turn() -> None:
        for page in range(3):
            dock.body.tabs.setCurrentIndex(page)
            QApplication.processEvents()

    return {
        "open study": lambda: dock.open((folder / "query", *references)),
        "look at a scan": lambda: dock.gallery.look_requested.emit(series("/reference-1")),
        "mark": mark,
        "run": dock.run,
        "why": lambda: results.why_section.set_unfolded(True),
        "region": lambda: results.regions.setCurrentCell(0, 0),
        "verdict": results.verdict_bar.accept_button.click,
        "next map": dock.show_next_map,
        "threshold": lambda: results.threshold.value_box.setValue(1.3 * results.threshold.level),
        "unmark a reference": lambda: dock.gallery.set_role(series("/reference-1"), Role.NONE),
        "leaf through slices": leaf,
        "turn pages": turn,
        "save results": lambda: dock.save_results(folder / "saved"),
        "keep a copy": dock.unsaved.copy,
    }


def main() -> None:
    """Walks, and prints what the watchdog saw."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else write_study(Path(made))
        PluginManager.instance().discover()  # as napari does before its window opens
        viewer = napari.Viewer()
        viewer.window.resize(1280, 800)
        rest(None)
        with Watchdog() as watchdog:
            watchdog.step("open the dock")
            frame = FindAnomalies(viewer)
            viewer.window.add_dock_widget(frame, name="Find anomalies", area="right")
            dock = frame.dock
            rest(dock)
            for name, step in _steps(dock, viewer, folder).items():
                watchdog.step(name)
                step()
                rest(dock)
        print(watchdog)
        dock.keeping.save_session(dock.examination, Path(made) / "walk.d24fad")
        rest(dock)
        viewer.close()


if __name__ == "__main__":
    main()
    isolation.clean()
