"""What a map is joined from, looked at apart: in the real widget, on a head that was examined by place."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox

from napari_d24fad.viewer.canvas.map_view import ChannelView, MapView
from napari_d24fad.viewer.canvas.screenshot import canvas_picture, canvas_stamp
from napari_d24fad.viewer.dock import DetectionDock

pytestmark = pytest.mark.one_qt


def wait(qtbot, dock: DetectionDock) -> None:
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)


def test_parts_are_shown_alone_and_the_joined_map_comes_back(qtbot, examined: DetectionDock) -> None:
    dock = examined
    wait(qtbot, dock)
    results, anomaly, layer = dock.results, dock.examination.anomaly, dock.maps.result_layer
    shown, held = dock.layers.shown, dock._session.held(dock.examination)
    before = np.array(layer.data), layer.contrast_limits, results.regions_section.header.text()
    rows = results.regions.rowCount()
    assert rows == len(anomaly.regions) > 0
    box: QComboBox = results.view_choice.view_box
    titles = [box.itemText(row) for row in range(box.count())]
    assert titles[:6] == [
        "Joined map: anomaly score",
        "Brighter than the references",
        "Brighter than the other side",
        "Brighter than all references near the place",
        "Unlike the references in texture",
        "Unlike the references in pattern",
    ]
    looks = []
    for channel in anomaly.channels:
        results.view_choice.choose(ChannelView(channel))
        wait(qtbot, dock)
        values = shown.in_layer_order(held.channel_map(channel))
        np.testing.assert_array_equal(layer.data, values)
        assert layer.contrast_limits[0] == channel.level
        assert layer.contrast_limits[1] >= np.nanmax(values)
        assert f"{channel.title}, alone" in dock._viewer.canvas.overlays.text.text
        assert "in the joined map" in results.regions_section.header.text()
        assert channel.title in results._colours.text()
        assert results.regions.rowCount() == rows
        legend = dock.result_view.legend
        marks = canvas_stamp(
            dock._viewer,
            shown,
            dock.examination,
            "",
            0,
            legend,
            np.zeros((10, 10, 3), np.uint8),
        )
        assert marks.scale.casefold().startswith(channel.title)
        looks.append(canvas_picture(dock._viewer))
    differ = [(a != b).mean() for a, b in pairwise(looks)]
    assert min(differ) > 1e-4, "each part is another picture"
    results.view_choice.choose(MapView.SCORE)
    np.testing.assert_array_equal(layer.data, before[0])
    assert (layer.contrast_limits, results.regions_section.header.text()) == before[1:]
    assert results.regions.rowCount() == rows
    assert dock.result_view.channel is None

    # M goes through the maps too, and back.
    qtbot.keyClick(dock, Qt.Key.Key_M)
    assert dock.result_view.channel == anomaly.channels[0]
    qtbot.keyClick(dock, Qt.Key.Key_M)
    assert dock.result_view.channel == anomaly.channels[1]
    qtbot.keyClick(dock, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(dock, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    assert results.view_choice.view is MapView.SCORE
    wait(qtbot, dock)
    np.testing.assert_array_equal(layer.data, shown.in_layer_order(anomaly.values))


def test_what_is_saved_names_the_part_that_is_shown(
    qtbot, examined: DetectionDock, settle, tmp_path: Path
) -> None:
    dock = examined
    channel = next(each for each in dock.examination.anomaly.channels if each.name == "asymmetry")
    dock.results.view_choice.choose(ChannelView(channel))
    wait(qtbot, dock)
    dock.save_results(tmp_path)
    settle(dock)
    assert "brighter than the other side" in dock.run_panel.message
    image = nib.load(tmp_path / "anomaly_asymmetry_brighter.nii.gz")
    expected = dock._session.held(dock.examination).channel_map(channel)
    np.testing.assert_array_equal(image.get_fdata(), expected.T)
    assert image.header.get_intent()[2] == "asymmetry"
    assert b"brighter than the other side; research use only" in image.header["descrip"].tobytes()
    joined = nib.load(tmp_path / "anomaly.nii.gz")
    np.testing.assert_array_equal(joined.get_fdata(), dock.examination.anomaly.values.T)
    result = json.loads((tmp_path / "report.json").read_text())["results"][0]
    files = {each["name"]: each["file"] for each in result["channels"]}
    assert files["asymmetry"] == "anomaly_asymmetry_brighter.nii.gz"
    assert files["value"] is None
    assert set(result["files"]) == {"anomaly.nii.gz", "anomaly_asymmetry_brighter.nii.gz", "overlay.png"}
    assert result["plan"] == "head CT"
    assert result["regions"][0]["direction"] == "brighter"
