from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from napari.layers import Image
from qtpy.compat import isalive
from qtpy.QtCore import Qt

from napari_d24fad.findings.finding import Verdict
from napari_d24fad.viewer.asking import Closing
from napari_d24fad.viewer.find_anomalies import FindAnomalies
from napari_d24fad.viewer.gallery.layer_series import layer_series
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.sessions import unsaved
from tests.heads import anomaly_of, head
from tests.session.saved.cases import named_case

_CLOSED_AND_OPENED = """
import napari
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer()
def show():
    docked, _ = viewer.window.add_plugin_dock_widget("napari-d24fad", "Find anomalies")
    QApplication.processEvents()
    return docked
show().destroyOnClose()
QApplication.processEvents()
show()
QTimer.singleShot(300, viewer.window._qt_window.close)
napari.run()
print("ended")
"""


def test_what_was_closed_comes_back_as_it_was(make_napari_viewer, qtbot) -> None:
    viewer, other = make_napari_viewer(), make_napari_viewer()
    widget = FindAnomalies(viewer)
    docked = viewer.window.add_dock_widget(widget, name="Find anomalies")
    dock = widget.dock
    query, reference = (layer_series(Image(np.asarray(head(number).voxels))) for number in range(2))
    dock.gallery.set_section("Study", [query, reference])
    dock.gallery.set_role(reference, Role.REFERENCE)
    dock.gallery.set_role(query, Role.QUERY)
    dock.layers.show_scan(query, query.load())

    docked.destroyOnClose()  # what the ✕ of its title does
    del widget, docked
    qtbot.wait(50)
    assert isalive(dock)
    assert not dock.isVisible()
    assert len(viewer.layers) == 1

    elsewhere = FindAnomalies(other)
    assert elsewhere.dock is not dock, "another viewer has its own"
    other.window.add_dock_widget(elsewhere, name="Find anomalies")
    again = FindAnomalies(viewer)
    viewer.window.add_dock_widget(again, name="Find anomalies")
    assert again.dock is dock
    assert dock.isVisibleTo(again)
    assert dock.parent() is again
    assert (dock.gallery.query, dock.gallery.references) == (query, (reference,))
    assert dock.layers.shown is not None
    beside = FindAnomalies(viewer)
    assert beside.dock is not dock, "it is in use"
    beside.deleteLater()


def test_closing_the_panel_with_unsaved_work_asks_once(
    make_napari_viewer, qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = make_napari_viewer(show=True)
    widget = FindAnomalies(viewer)
    docked = viewer.window.add_dock_widget(widget, name="Anomalies here", area="left")
    dock = widget.dock
    scan = head(0, lesion=True)
    case = named_case(scan, anomaly_of(scan))
    dock.examining.take(case.examination, case.findings, 4)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy)
    dock.result_view.verdicts.judge(0, Verdict.ACCEPTED)
    assert dock.keeping.is_unsaved
    answers, asked, saved = [Closing.CANCEL, Closing.SAVE, Closing.DISCARD], [], []

    def answer(_, question: str = "of the viewer") -> Closing:
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr(unsaved, "what_of_unsaved", answer)
    monkeypatch.setattr(dock.keeping, "choose_session", saved.append)
    del widget
    docked.destroyOnClose()
    qtbot.waitUntil(lambda: dock.isVisible())  # Cancel brings it back where it was
    docked = dock.parent().parent()
    assert docked.windowTitle() == "Anomalies here"
    assert dock.window().dockWidgetArea(docked) == Qt.DockWidgetArea.LeftDockWidgetArea
    docked.destroyOnClose()
    qtbot.waitUntil(lambda: len(asked) == 2)
    assert saved == [dock.examination]
    assert not dock.isVisible()

    viewer.window.add_dock_widget(FindAnomalies(viewer), name="Anomalies here").destroyOnClose()
    qtbot.waitUntil(lambda: len(asked) == 3)
    assert all("panel" in question for question in asked)
    assert dock.unsaved._may_close(), "who wanted none of it is not asked once more"
    dock.result_view.verdicts.judge(0, Verdict.REJECTED)
    answers.append(Closing.CANCEL)
    assert not dock.unsaved._may_close(), "but for what is new"
    assert asked[3:] == ["of the viewer"]
    dock.keeping.note_saved()


def test_a_closed_dock_goes_with_its_viewer(make_napari_viewer, qtbot) -> None:
    viewer = make_napari_viewer()
    widget = FindAnomalies(viewer)
    docked = viewer.window.add_dock_widget(widget, name="Find anomalies")
    dock = widget.dock
    docked.destroyOnClose()
    viewer.close()
    qtbot.waitUntil(lambda: not isalive(dock), timeout=10_000)


def test_the_viewer_closes_after_the_dock_was_closed_and_opened() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CLOSED_AND_OPENED], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("ended\n")  # with PyQt5 napari says more before
    assert "Error" not in done.stderr
