"""Ruler, ellipse and findings by hand, drawn with the mouse in a real window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_d24fad.findings.finding import Verdict
from napari_d24fad.session.saved.session_file import read_session
from napari_d24fad.viewer.canvas.layer_data import LINE_KEY
from napari_d24fad.viewer.canvas.screenshot import canvas_picture
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.labels import read_labels, write_labels
from napari_d24fad.viewer.reading.tools import Tool
from tests.heads import anomaly_of, head
from tests.session.saved.cases import named_case
from tests.viewer.reading.mouse import drag, trace

LEFT = Qt.MouseButton.LeftButton
pytestmark = pytest.mark.filterwarnings("ignore:Private attribute access:FutureWarning")


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D24FAD_CACHE", str(tmp_path / "settings"))


def test_measures_in_mm_and_marks_findings_that_stay(
    dock: DetectionDock, qtbot, canvas, tmp_path: Path
) -> None:
    scan = head(0, lesion=True)
    case = named_case(scan, anomaly_of(scan))
    dock.examining.take(case.examination, case.findings, 4)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy)
    measuring, verdicts = dock.reading.measuring, dock.result_view.verdicts
    (ruler,) = measuring.measurements  # it came with the session, and is on the canvas
    assert len(measuring.layer.data) == 1

    rows, columns = dock.viewer.canvas.size
    centre = columns / 2, rows / 2
    zoom = dock.viewer.scene.camera.zoom  # pixels for a mm
    qtbot.keyClick(canvas, Qt.Key.Key_D)
    drag(qtbot, canvas, LEFT, centre, (centre[0] + 120, centre[1] - 90))
    qtbot.waitUntil(lambda: len(measuring.measurements) == 2)
    assert measuring.measurements[1].length_mm == pytest.approx(150 / zoom, rel=0.03)
    assert measuring.layer.mode == "pan_zoom"
    assert "mm" in dock.reading.bar.tools.list.item(1).text()
    assert dock.keeping.is_unsaved

    qtbot.keyClick(canvas, Qt.Key.Key_E)
    drag(qtbot, canvas, LEFT, (centre[0] - 60, centre[1] - 60), (centre[0] + 60, centre[1] + 20))
    qtbot.waitUntil(lambda: len(measuring.measurements) == 3)
    ellipse = measuring.measurements[2]
    assert ellipse.area_mm2 == pytest.approx(np.pi * 60 * 40 / zoom**2, rel=0.05)
    pixels = scan.voxels[4]
    y, x = np.indices(pixels.shape) * np.array([1.7, 2.2]).reshape(2, 1, 1)
    y, x = y - (pixels.shape[0] - 1) / 2 * 1.7, x - (pixels.shape[1] - 1) / 2 * 2.2
    inside = ((y + 20 / zoom) / (40 / zoom)) ** 2 + (x / (60 / zoom)) ** 2 <= 1
    assert ellipse.mean == pytest.approx(pixels[inside].mean(), rel=0.1)
    figures = measuring.layer.features["told"].tolist()
    assert figures[2].startswith(f"mean {ellipse.mean:.4g}, SD {ellipse.deviation:.3g}")

    # Its figures can be read where the picture is white: they have a dark rim.
    below = dock.viewer.layers[0]
    window, below.contrast_limits = below.contrast_limits, (-2.0, -1.0)
    dock.maps.result_layer.visible = False
    at = round(centre[1]), round(centre[0])
    figures_there = canvas_picture(dock.viewer)[at[0] - 90 : at[0] - 61, at[1] - 60 : at[1] + 60]
    assert (figures_there < 60).all(axis=-1).any()
    below.contrast_limits, dock.maps.result_layer.visible = window, True

    # A click marks a sphere of 5 mm, which joins the findings as accepted, with a line around it.
    before = canvas_picture(dock.viewer)
    count = len(verdicts.findings)
    qtbot.mouseClick(dock.reading.bar.tools.button(Tool.FINDING), LEFT)
    drag(qtbot, canvas, LEFT, (centre[0] - 150, centre[1]), (centre[0] - 150, centre[1]))
    qtbot.waitUntil(lambda: len(verdicts.findings) > count and dock.reading.outlines.layer is not None)
    marked = list(verdicts.findings)[-1]
    assert (marked.by_hand, marked.verdict) == (True, Verdict.ACCEPTED)
    assert marked.region.volume_mm3 == pytest.approx(4 / 3 * np.pi * 125, rel=0.4)
    after = canvas_picture(dock.viewer).astype(int)
    blue = (np.abs(after - (76, 201, 240)) < 12).all(axis=-1)
    assert blue.any()
    assert not (np.abs(before.astype(int) - (76, 201, 240)) < 12).all(axis=-1).any()
    found = np.argwhere(blue).mean(axis=0)
    assert np.abs(found - (centre[1], centre[0] - 150)).max() < 3 * zoom

    # An outline drawn by hand, in this slice alone.
    qtbot.keyClick(canvas, Qt.Key.Key_O)
    corners = [(-40, 60), (40, 60), (40, 120), (-40, 120), (-40, 66)]  # napari leaves out the last
    trace(qtbot, canvas, LEFT, [(centre[0] + x, centre[1] + y) for x, y in corners])
    qtbot.waitUntil(lambda: len(verdicts.findings) > count + 1)
    outlined = list(verdicts.findings)[-1]
    assert (outlined.by_hand, outlined.verdict) == (True, Verdict.ACCEPTED)
    assert outlined.region.slices == (4, 4)
    volume = 80 * 60 / zoom**2 * scan.spacing[0]
    assert outlined.region.volume_mm3 == pytest.approx(volume, rel=0.15)
    assert measuring.layer.mode == "pan_zoom"
    assert len(measuring.layer.data) == 3, "what is drawn around a finding is no measurement"
    verdicts.undo()
    assert list(verdicts.findings)[-1] == marked

    # It is called something, and all of it is in the session.
    table, bar = dock.results.regions, dock.results.verdict_bar
    table.setCurrentCell(table.rowCount() - 1, 0)
    bar.label_box.setCurrentIndex(bar.label_box.findData("artefact"))
    bar.label_box.activated.emit(bar.label_box.currentIndex())
    assert list(verdicts.findings)[-1].label == "artefact"
    dock.keeping.save_session(case.examination, tmp_path / "day.d24fad")
    qtbot.waitUntil(lambda: not dock.jobs.is_busy)
    (saved,) = read_session(tmp_path / "day.d24fad").cases
    assert saved.findings.measurements == measuring.measurements
    assert list(saved.findings)[-1].label == "artefact"

    qtbot.keyClick(table, Qt.Key.Key_Delete)
    assert not any(each.by_hand for each in verdicts.findings)
    dock.reading.bar.tools.list.setCurrentRow(1)
    qtbot.keyClick(dock.reading.bar.tools.list, Qt.Key.Key_Delete)
    assert measuring.measurements == (ruler, ellipse)
    assert len(measuring.layer.data) == 2
    verdicts.undo()
    assert len(measuring.layer.data) == 3

    # Outlined, the map is a line and the picture below is clear.
    dock.results.look.fill.setCurrentIndex(1)
    qtbot.waitUntil(lambda: dock.reading.outlines.layer is not None)
    picture = canvas_picture(dock.viewer).astype(int)
    orange = (np.abs(picture - (255, 159, 28)) < 12).all(axis=-1)
    assert orange.any()
    assert not dock.maps.result_layer.visible
    lines = dock.reading.outlines.layer.metadata[LINE_KEY]
    assert lines == f"orange line: score {dock.results.threshold.level:.3g} and above"
    dock.results.look.fill.setCurrentIndex(0)
    assert dock.maps.result_layer.visible


def test_what_is_measured_before_joins_the_findings(dock: DetectionDock, qtbot, canvas) -> None:
    scan = head(0, lesion=True)
    case = named_case(scan, anomaly_of(scan))
    dock.layers.show_scan(case.request.query, scan)
    assert not dock.reading.bar.tools.button(Tool.FINDING).isEnabled()
    rows, columns = dock.viewer.canvas.size
    qtbot.keyClick(canvas, Qt.Key.Key_D)
    drag(qtbot, canvas, LEFT, (columns / 2, rows / 2), (columns / 2 + 100, rows / 2))
    qtbot.waitUntil(lambda: len(dock.reading.measuring.measurements) == 1)
    measured = dock.reading.measuring.measurements[0]
    # The middle of another plane has no ellipse of the slices.
    dock.viewer.dims.roll()
    qtbot.keyClick(canvas, Qt.Key.Key_E)
    drag(qtbot, canvas, LEFT, (columns / 2, rows / 2), (columns / 2 + 80, rows / 2 + 80))
    qtbot.waitUntil(lambda: "lengths can be measured" in dock.run_panel.message)
    assert len(dock.reading.measuring.measurements) == 1
    dock.examining.take(case.examination, case.findings, 4)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy)
    assert dock.result_view.verdicts.findings.measurements == (*case.findings.measurements, measured)


def test_labels_are_kept_and_a_broken_list_is_replaced(tmp_path: Path) -> None:
    assert read_labels()[0] == "lesion"
    assert write_labels(["  bleed ", "", "bleed", "old infarct"]) == ("bleed", "old infarct")
    assert read_labels() == ("bleed", "old infarct")
    (tmp_path / "settings" / "finding-labels.json").write_text("{", encoding="utf-8")
    assert read_labels()[0] == "lesion"
