"""Window, letters and cursor in a real window, with its pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import Qt

from napari_d24fad.studies.scan import Scan, SeriesIdentity
from napari_d24fad.viewer.canvas.screenshot import canvas_picture
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.layer_series import layer_series
from tests.heads import anomaly_of, chest_ct, head
from tests.viewer.reading.mouse import drag, point_at

# Slices from head to foot, rows from the back, columns from left to right: nothing as the canvas wants it.
TURNED = np.array([[0, 0, -4, 40], [0, -4, 0, 30], [-4, 0, 0, 20], [0, 0, 0, 1.0]])


def show(dock: DetectionDock, scan: Scan):
    return dock.layers.show_scan(layer_series(Image(scan.voxels)), scan)


def middle_of(dock: DetectionDock) -> tuple[float, float]:
    rows, columns = dock.viewer.canvas.size
    return columns / 2, rows / 2


@pytest.mark.filterwarnings("ignore:Private attribute access:FutureWarning")
def test_window_by_key_and_right_button_stays_with_the_scan(dock: DetectionDock, qtbot, canvas) -> None:
    scan = chest_ct(0)
    shown, reading = show(dock, scan), dock.reading
    usual = reading.windowing.limits
    picture = canvas_picture(dock.viewer)
    qtbot.keyClick(canvas, Qt.Key.Key_5)
    assert reading.text.lines == "W 1500  L 300 HU"
    bone = canvas_picture(dock.viewer)
    soft = picture[..., 0] > 60  # soft tissue is grey in its own window
    assert bone[..., 0][soft].mean() < picture[..., 0][soft].mean() - 20
    assert "the model sees" in reading.bar.window.examined_text or usual == (-450.0, 1050.0)

    at, zoom = middle_of(dock), dock.viewer.scene.camera.zoom
    drag(qtbot, canvas, Qt.MouseButton.RightButton, at, (at[0] + 100, at[1] + 50))
    low, high = reading.windowing.limits
    assert high - low == pytest.approx(1500 * np.exp(0.5), rel=0.02)
    assert (high + low) / 2 == pytest.approx(300 + 1500 / 8, rel=0.02)
    assert dock.viewer.scene.camera.zoom == zoom
    assert dock.viewer.scene.camera.mouse_pan

    # It is kept, as napari's own slider leaves it, when another scan was looked at, which has its own.
    series = shown.series
    shown.layer.contrast_limits = low, high = low + 50, high + 50
    dock.filling.add_study([series])
    show(dock, head(0))
    assert "HU" not in reading.text.lines
    dock.layers.show_scan(series, scan)
    assert reading.windowing.limits == pytest.approx((low, high))
    # The model is made to see it, on demand.
    assert reading.bar.window.examine_button.isVisibleTo(reading.bar)
    dock.run_panel.ct_window.show_for(scan)
    reading.bar.window.examine_button.click()
    assert dock.run_panel.ct_window.window == pytest.approx((low, high), abs=1)
    assert reading.bar.window.examined_text == ""


@pytest.mark.filterwarnings("ignore:Private attribute access:FutureWarning")
def test_every_cut_is_upright_and_lettered(dock: DetectionDock, qtbot) -> None:
    voxels = np.full((12, 16, 20), 10, np.float32)
    voxels[1:3, 12:15, 2:5] = 1000  # at the head, in front, on the left
    show(dock, Scan(voxels, TURNED, modality="MR"))
    viewer = dock.viewer
    wanted = {
        "axial": (("R", "L", "A", "P"), (1, -1)),
        "sagittal": (("A", "P", "H", "F"), (-1, -1)),
        "coronal": (("R", "L", "H", "F"), (1, -1)),
    }
    for plane in ("axial", "sagittal", "coronal", "axial"):
        dock.layers.go_to((2, 13, 3))
        letters, (right, down) = wanted[plane]
        assert dock.reading.text.letters() == letters, plane
        picture = canvas_picture(viewer)[..., 0].astype(int)
        rows, columns = np.nonzero(picture > 200)
        middle = picture.shape[0] / 2, picture.shape[1] / 2
        assert np.sign(columns.mean() - middle[1]) == right, plane
        assert np.sign(rows.mean() - middle[0]) == down, plane
        viewer.dims.roll()
    viewer.dims.order = (0, 1, 2)
    viewer.dims.transpose()  # on purpose
    assert viewer.dims.order == (0, 2, 1)
    assert dock.reading.text.letters() == ("A", "P", "R", "L")
    show(dock, Scan(voxels, TURNED, sides_known=False))
    assert dock.reading.text.letters() == ("", "", "", "")


@pytest.mark.filterwarnings("ignore:Private attribute access:FutureWarning")
def test_what_is_under_the_cursor(dock: DetectionDock, qtbot, canvas) -> None:
    scan = replace(head(0, lesion=True), modality="CT", identity=SeriesIdentity())
    show(dock, scan)
    anomaly = anomaly_of(scan)
    dock.maps.show_result(anomaly, (1.0, 3.0))
    dock.layers.go_to((4, 27, 27))
    # The middle of the canvas is that of the picture.
    point_at(canvas, middle_of(dock))
    qtbot.waitUntil(lambda: dock.reading.bar.cursor_text != "")
    told = dock.reading.bar.cursor_text.split(", ")
    row, column = (size / 2 - 0.5 for size in scan.grid[1:])
    x, y, z, _ = scan.affine @ (4, row, column, 1)
    near = scan.voxels[4, 19:21, 17:19]
    assert told[0].endswith(" HU")
    assert near.min() - 1 <= float(told[0].removesuffix(" HU").replace("−", "-")) <= near.max() + 1
    assert told[1:3] == ["score 0.2", "p = 0.63 of the pixel"]
    letters = told[3].split()
    assert letters[::2] == ["R" if x < 0 else "L", "A" if y < 0 else "P", "H" if z > 0 else "F", "mm"]
    np.testing.assert_allclose([float(each) for each in letters[1::2]], np.abs((x, y, z)), atol=1.2)
    assert dock.reading.text.lines.startswith(told[0])
    dock.reading.discard()
    assert not any(name.startswith("d24fad") for name in dock.viewer.canvas.overlays)
    assert not dock.viewer.mouse_move_callbacks
