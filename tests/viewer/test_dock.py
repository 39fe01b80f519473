from __future__ import annotations

import gc
import json
import re
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_d24fad.viewer.canvas.layer_data import scan_layer_data
from napari_d24fad.viewer.canvas.screenshot import canvas_picture, canvas_stamp
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.running.workers import Worker
from napari_d24fad.viewer.warming import warm_up
from tests.heads import GRID, chest_ct
from tests.viewer.study_in_dock import LESION_SHOWN, by_place, click, open_and_mark


def test_main_job(
    qtbot, dock: DetectionDock, settle, study_folder: Path, tmp_path: Path, monkeypatch
) -> None:
    viewer = dock._viewer
    qtbot.waitUntil(lambda: dock.reading.text._unmade == [] and warm_up.cache_info().currsize == 1)
    open_and_mark(qtbot, dock, settle, study_folder)
    assert dock.gallery.count_text == "3 of 2-8 normal references"
    click(qtbot, dock.run_panel.run_button)
    assert dock.run_panel.is_busy
    settle(dock)
    assert dock.run_panel.message == ""
    scan_layer, result = viewer.layers
    assert result.name.startswith("Anomaly: NIfTI axial 10 x 40 x 36")
    assert result.data.shape == scan_layer.data.shape
    corner = np.array(GRID) - 0.5
    np.testing.assert_array_equal(result.data_to_world(corner), scan_layer.data_to_world(corner))
    # The embedded model finds a lesion this bright, and the viewer goes there.
    assert viewer.dims.current_step[0] in LESION_SHOWN
    assert dock.results.isVisible()
    assert dock.results.headline.startswith("p = 0.25, the smallest that 3 references can give (1 in 4)")

    # The slider, the curve and the list drive each other.
    viewer.dims.set_current_step(0, 2)
    assert dock.results.plot._current == 2
    place = QPoint(round(dock.results.plot.x_of(7)), 30)
    qtbot.mouseClick(dock.results.plot, Qt.MouseButton.LeftButton, pos=place)
    assert viewer.dims.current_step[0] == 7
    first = dock.results.slice_list.item(0)
    place = dock.results.slice_list.visualItemRect(first).center()
    qtbot.mouseClick(dock.results.slice_list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert viewer.dims.current_step[0] == first.data(Qt.ItemDataRole.UserRole)
    dock.results.view_choice.opacity_slider.setValue(40)
    assert result.opacity == pytest.approx(0.4)

    # What was found can be kept.
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "picture"), ""))
    click(qtbot, dock.results.picture_button)
    settle(dock)
    assert dock.run_panel.message == "The picture was saved."
    before = (tmp_path / "picture.png").stat().st_mtime_ns
    click(qtbot, dock.results.picture_button)
    settle(dock)
    assert "already" in dock.run_panel.message
    assert (tmp_path / "picture.png").stat().st_mtime_ns == before
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    click(qtbot, dock.results.files_button)
    settle(dock)
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"picture.png", "anomaly.nii.gz", "overlay.png", "report.json"}
    (told,) = json.loads((tmp_path / "report.json").read_text())["results"]
    # Nobody is named, and yet each scan can be found again among those that were opened.
    assert told["query"]["label"].endswith(", no. 1")
    numbers = [re.fullmatch(r"(Reference \d): .*, (no. \d)", each["label"]) for each in told["references"]]
    assert [found and found.groups() for found in numbers] == [
        ("Reference 1", "no. 2"),
        ("Reference 2", "no. 3"),
        ("Reference 3", "no. 4"),
    ]
    (tmp_path / "file").write_text("in the way")
    dock.save_picture(tmp_path / "file" / "picture.png")
    settle(dock)
    assert dock.run_panel.message.startswith("X01: ")

    # Running again replaces the result; how it is looked at stays.
    result.colormap, viewer.scene.camera.zoom = "viridis", 3.25
    dock.run()
    settle(dock)
    assert list(viewer.layers) == [scan_layer, result]
    assert viewer.scene.camera.zoom == 3.25
    assert (viewer.layers[1].colormap.name, viewer.layers[1].opacity) == ("viridis", pytest.approx(0.4))
    assert dock.results.view_choice.opacity_slider.value() == 40

    # Results of another scan are replaced only if the user says so; its own are at once.
    questions: list[str] = []
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(
        QMessageBox, "warning", lambda *words: (questions.append(words[2]), answers.pop(0))[1]
    )
    dock.save_results(tmp_path)
    settle(dock)
    assert questions == []
    report = tmp_path / "report.json"
    other = report.read_text().replace(told["query"]["fingerprint"], "0" * 16)
    report.write_text(other)
    dock.save_results(tmp_path)
    settle(dock)
    assert dock.run_panel.message == "Nothing was saved."
    assert report.read_text() == other
    dock.save_results(tmp_path)
    settle(dock)
    assert report.read_text() != other
    assert len(questions) == 2
    assert "another scan" in questions[0]


def test_cancel_stops_and_leaves_the_widget_usable(
    qtbot, dock: DetectionDock, settle, study_folder: Path
) -> None:
    open_and_mark(qtbot, dock, settle, study_folder, references=2)
    click(qtbot, dock.run_panel.run_button)
    qtbot.waitUntil(lambda: dock.run_panel.is_busy)
    qtbot.wait(150)
    click(qtbot, dock.run_panel.cancel_button)
    qtbot.waitUntil(lambda: not dock.jobs.is_busy)
    assert dock.run_panel.message == "Stopped."
    assert len(dock._viewer.layers) == 0
    click(qtbot, dock.run_panel.run_button)
    settle(dock)
    assert len(dock._viewer.layers) == 2


def test_refusals_are_told_with_their_code_and_the_viewer_lives(
    qtbot, dock: DetectionDock, settle, study_folder: Path, tmp_path: Path
) -> None:
    click(qtbot, dock.run_panel.run_button)
    assert dock.run_panel.message == "Choose the scan to examine first."
    open_and_mark(qtbot, dock, settle, study_folder, references=1)
    click(qtbot, dock.run_panel.run_button)
    settle(dock)
    assert dock.run_panel.message.startswith("P01: ")
    (tmp_path / "empty").mkdir()
    (tmp_path / "note.dcm").write_text("no image at all")
    (tmp_path / "broken.nii.gz").write_bytes(b"\x1f\x8b damaged")
    for name, code in (("empty", "S03"), ("missing", "S01"), ("note.dcm", "S04")):
        dock.open([tmp_path / name])
        settle(dock)
        assert dock.run_panel.message.startswith(f"{code}: ")
        assert str(tmp_path) not in dock.run_panel.message
    dock.open([tmp_path / "broken.nii.gz"])
    settle(dock)
    assert dock.run_panel.message.startswith("S0")
    dock.save_results(tmp_path)
    assert dock.run_panel.message.startswith("X02: ")
    # All that is there still works.
    assert len(by_place(dock.gallery)) == 4
    dock._viewer.add_image(np.random.default_rng(0).random((4, 20, 20)))
    settle(dock)
    assert len(dock.gallery.series) == 5


def test_drop_opens_the_study(qtbot, dock: DetectionDock, settle, study_folder: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(study_folder / "query" / "scan.nii.gz"))])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    place = QPoint(50, 50) if QDropEvent.__module__.startswith("PyQt5") else QPointF(50, 50)
    event = QDropEvent(place, action, data, button, Qt.KeyboardModifier.NoModifier)
    dock.dropEvent(event)
    settle(dock)
    assert [series.source.name for series in dock.gallery.series] == ["scan.nii.gz"]
    # Nothing else could be meant by a single scan.
    assert dock.gallery.query is dock.gallery.series[0]


def test_layers_in_the_viewer_serve_as_query_and_references(
    qtbot, dock: DetectionDock, settle, study_folder: Path
) -> None:
    viewer = dock._viewer
    dock.open([study_folder])
    settle(dock)
    for place, series in by_place(dock.gallery).items():
        viewer.add_image(np.array(series.load().voxels), name=place, scale=(4, 1.7, 2.2), units=("mm",) * 3)
    settle(dock)
    cards = {one.identity.description: one for one in dock.gallery.series if one.kind == "layer"}
    assert set(cards) == {"query", "reference-1", "reference-2", "reference-3"}
    for name in ("reference-1", "reference-2"):
        qtbot.mouseClick(dock.gallery.card(cards[name]).normal_box, Qt.MouseButton.LeftButton)
    click(qtbot, dock.gallery.card(cards["query"]).examine_button)
    dock.run()
    settle(dock)
    result = dock.maps.result_layer
    names = ("reference-1", "reference-2", "reference-3")
    np.testing.assert_array_equal(result.scale, viewer.layers["query"].scale)
    assert [layer.name for layer in viewer.layers] == ["query", result.name, *names]
    assert all(layer.visible for layer in viewer.layers), "layers of others are left as they are"
    assert "lie over the scan" in dock.run_panel.message
    # The result itself is not offered as a scan.
    assert len([one for one in dock.gallery.series if one.kind == "layer"]) == 4
    # A layer that changes stays what it was marked as, with its new geometry.
    viewer.layers["reference-1"].scale = (5, 2, 2)
    settle(dock)
    assert dock.gallery.references[0].spacing == pytest.approx((5, 2, 2))
    viewer.layers.remove("reference-2")
    settle(dock)
    assert len(dock.gallery.references) == 1


def test_ct_is_shown_and_examined_in_the_window_of_its_body_part_or_that_chosen(
    qtbot, dock: DetectionDock, settle
) -> None:
    viewer, panel = dock._viewer, dock.run_panel
    for seed in range(3):
        viewer.add_layer(
            Layer.create(*scan_layer_data(chest_ct(seed, ground_glass=seed == 0), f"chest {seed}"))
        )
    settle(dock)
    assert panel.ct_window.isHidden()
    query, *references = sorted(dock.gallery.series, key=lambda series: series.identity.description)
    for series in references:
        qtbot.mouseClick(dock.gallery.card(series).normal_box, Qt.MouseButton.LeftButton)
    click(qtbot, dock.gallery.card(query).examine_button)
    assert not panel.ct_window.isHidden()
    dock.run()
    settle(dock)
    assert dock.examination.request.window == (-1000, 400)
    assert tuple(viewer.layers["chest 0"].contrast_limits) == (-1000, 400)

    choice = panel.ct_window.choice
    choice.setCurrentIndex(choice.findText("Lung, -1350 to 150 HU"))
    assert tuple(viewer.layers["chest 0"].contrast_limits) == (-1350, 150)
    assert dock.results.is_outdated
    before = dock.examination
    dock.run()
    settle(dock)
    assert dock.examination.request.window == (-1350, 150)
    assert not dock.results.is_outdated
    assert not np.array_equal(dock.examination.anomaly.values, before.anomaly.values, equal_nan=True)
    marks = canvas_stamp(viewer, dock.layers.shown, dock.examination, "", None, None, canvas_picture(viewer))
    assert marks.footing[0].endswith("examined in lung -1350 to 150 HU")


def test_study_can_be_closed(qtbot, dock: DetectionDock, settle, study_folder: Path) -> None:
    dock.open([study_folder / "query", study_folder / "reference-1"])
    settle(dock)
    assert len(dock.gallery.series) == 2
    dock.gallery.close_requested.emit("Study 1: 2 series")
    assert dock.gallery.series == ()


def test_thumbnails_arrive(qtbot, dock: DetectionDock, settle, study_folder: Path) -> None:
    dock.open([study_folder])
    settle(dock)
    for series in dock.gallery.series:
        pixmap = dock.gallery.card(series).picture.pixmap()
        assert pixmap.width() > 10
        pixels = {pixmap.toImage().pixelColor(x, pixmap.height() // 2).red() for x in range(pixmap.width())}
        assert len(pixels) > 5


def test_keys_run_and_cancel(qtbot, dock: DetectionDock, settle, study_folder: Path) -> None:
    open_and_mark(qtbot, dock, settle, study_folder, references=2)
    for key, busy in ((Qt.Key.Key_R, True), (Qt.Key.Key_Escape, False)):
        # From whichever part has the focus, as long as it has no use for the key.
        qtbot.keyClick(dock.gallery.card(dock.gallery.series[0]), key)
        qtbot.waitUntil(lambda busy=busy: dock.jobs.is_busy is busy)
    settle(dock)
    assert dock.run_panel.message == "Stopped."


def test_removed_widget_lets_go_of_viewer_and_work(make_napari_viewer, qtbot, study_folder: Path) -> None:
    viewer = make_napari_viewer()
    widget = DetectionDock(viewer)
    docked = viewer.window.add_dock_widget(widget, name="Find anomalies")
    widget.open([study_folder])
    gone, session = weakref.ref(widget), widget._session
    session._loaded = object()  # as after a run
    viewer.window.remove_dock_widget(docked)
    del widget, docked

    def is_gone() -> bool:
        gc.collect()
        return gone() is None

    qtbot.waitUntil(is_gone, timeout=60_000)
    assert session._loaded is None
    assert all(worker._cancel_token.cancelled for worker in Worker._running)  # the search for series
    viewer.add_image(np.zeros((3, 8, 8)))  # what listened before would fail here
    viewer.dims.set_current_step(0, 1)


def test_opening_the_widget_imports_nothing_slow() -> None:
    slow = {"torch", "pydicom", "highdicom", "nibabel", "matplotlib", "monai", "SimpleITK"}
    code = f"import sys, napari_d24fad.viewer.dock; assert not {slow} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
