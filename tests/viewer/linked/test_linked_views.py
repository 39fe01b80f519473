"""Three planes and the views beside each other, in a real window, with their pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QDockWidget

from napari_d24fad.viewer.canvas.screenshot import canvas_picture
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.linked.row import Views
from napari_d24fad.viewer.linked.slice_view import SliceView
from tests.viewer.reading.conftest import canvas  # noqa: F401 - a fixture
from tests.viewer.reading.mouse import point_at
from tests.viewer.results.examining import examine

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
pytestmark = pytest.mark.filterwarnings("ignore:Private attribute access:FutureWarning")


def pixels(view: SliceView) -> np.ndarray:
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits().asstring(image.sizeInBytes()), np.uint8)
    return rows.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()].reshape(
        image.height(), image.width(), 3
    )


def test_views_stay_in_step_with_the_canvas(
    dock: DetectionDock,
    settle: Callable[[DetectionDock], None],
    study_folder: Path,
    qtbot,
    canvas,  # noqa: F811
) -> None:
    examine(dock, settle, study_folder)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy)
    linked, row, viewer = dock.reading.linked, dock.reading.bar.views, dock.viewer
    viewer.window.resize(1100, 780)
    qtbot.keyClick(canvas, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: len(linked.views) == 3 and all(view.drawn for view in linked.views))
    assert viewer.window.geometry()[3] == 780, "they grew the window beyond a low screen"
    assert [view.drawn.letters for view in linked.views] == [
        ("R", "L", "A", "P"),
        ("R", "L", "H", "F"),
        ("A", "P", "H", "F"),
    ]
    # A click in the coronal view moves crosshair and slice: to the lesion, which the map colours.
    axial, coronal, _ = linked.views
    shown = dock.layers.shown
    lesion = shown.layer_index((4, 27, 27))
    cut = linked._cuts[1]
    at = coronal.to_screen(cut.in_picture(lesion, shown.layer.data.shape))
    qtbot.mouseClick(coronal, LEFT, NONE, QPoint(round(at.x()), round(at.y())))
    assert viewer.dims.current_step[0] == lesion[0]
    assert dock.layers.current_slice == lesion[0]
    qtbot.waitUntil(lambda: axial.drawn.title.startswith(f"Axial {round(lesion[0]) + 1} of"))
    viewer.reset_view()
    qtbot.waitUntil(lambda: axial.drawn.zoom < 1.2)
    # The axial view shows what napari shows: the same colours at the same voxels.
    picture, drawn = canvas_picture(viewer).astype(int), axial.drawn.picture.astype(int)
    centre, zoom = viewer.scene.camera.center[-2:], viewer.scene.camera.zoom
    for voxel in ((lesion[0], 27, 27), (lesion[0], 20, 10), (lesion[0], 12, 18)):
        world = np.array(shown.layer.data_to_world(voxel))[1:]
        row_px, column_px = (world - centre) * zoom + np.array(picture.shape[:2]) / 2
        on_canvas = picture[round(row_px), round(column_px)]
        np.testing.assert_allclose(drawn[voxel[1], voxel[2]], on_canvas, atol=8)
    # The window of the canvas is theirs.
    qtbot.keyClick(canvas, Qt.Key.Key_6)
    qtbot.waitUntil(lambda: (axial.drawn.picture[20, 10] != drawn[20, 10]).any())
    # So is the mouse.
    point_at(canvas, (canvas.width() / 2, canvas.height() / 2))
    qtbot.waitUntil(lambda: axial.cursor_at is not None)
    blue = (np.abs(pixels(axial).astype(int) - (76, 201, 240)) < 10).all(axis=-1)
    assert blue.any(axis=1).sum() > axial.height() * 0.9, "the crosshair is drawn"

    # Beside the reference that is most like the slice, which comes when it is found.
    qtbot.keyClick(canvas, Qt.Key.Key_B)
    qtbot.waitUntil(lambda: len(linked.views) == 3 and all(view.drawn for view in linked.views))
    query, reference, result = linked.views
    assert reference.drawn.title.startswith("Reference ")
    assert reference.drawn.picture.std() > 10
    assert (query.drawn.picture != result.drawn.picture).any()
    assert np.ptp(query.drawn.picture, axis=-1).max() == 0, "no map over the scan"

    # The cross of its dock closes it, and nothing is left.
    frame = linked._box.parent()
    assert isinstance(frame, QDockWidget)
    frame.destroyOnClose()
    qtbot.waitUntil(lambda: linked.views == ())
    assert not row.button(Views.COMPARE).isChecked()
    row.button(Views.PLANES).click()
    assert len(linked.views) == 3
    row.button(Views.PLANES).click()
    assert linked.views == ()
