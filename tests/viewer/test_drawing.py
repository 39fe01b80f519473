"""Examine only here, in the real widget: drawn on what is shown, examined there, and told."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Labels, Shapes
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QListWidgetItem

from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.dock_body import Page
from napari_d24fad.viewer.running.run_panel import RunPanel
from tests.viewer.study_in_dock import LESION_SHOWN, click, open_and_mark

pytestmark = [pytest.mark.one_qt, pytest.mark.usefixtures("kept_features")]


def _ticked(panel: RunPanel) -> list[QListWidgetItem]:
    rows = [panel.region.choice.item(row) for row in range(panel.region.choice.count())]
    return [row for row in rows if row.checkState() == Qt.CheckState.Checked]


def _draw_box(qtbot, dock: DetectionDock, low: tuple[int, int], high: tuple[int, int]) -> Shapes:
    """Presses Draw and draws a box in the first slice of what is shown."""
    click(qtbot, dock.run_panel.region.draw_button)
    layer = dock._viewer.layers[-1]
    corners = [(0, low[0], low[1]), (0, low[0], high[1]), (0, high[0], high[1]), (0, high[0], low[1])]
    layer.add_rectangles([np.array(corners)])
    return layer


def test_only_what_is_drawn_is_examined(qtbot, dock: DetectionDock, settle, study_folder: Path) -> None:
    viewer, panel = dock._viewer, dock.run_panel
    open_and_mark(qtbot, dock, settle, study_folder)
    assert panel.region.choice.count() == 0
    assert panel.region.through.isHidden()
    # Before a scan is shown there is none to draw on, and a layer drawn on none is not passed over.
    click(qtbot, panel.region.draw_button)
    assert "No scan is shown" in panel.message
    before = viewer.add_labels(np.ones((4, 4, 4), int), name="of long ago")
    panel.region.choice.item(0).setCheckState(Qt.CheckState.Checked)
    click(qtbot, panel.run_button)
    assert "which scan" in panel.message
    assert dock.examination is None
    viewer.layers.remove(before)
    click(qtbot, panel.run_button)
    settle(dock)
    whole = dock.examination
    scan_layer = viewer.layers[0]
    peak = whole.anomaly.regions[0].peak_index

    # The reader adds a layer to draw in, over the scan that is shown, and draws a box round the lesion.
    click(qtbot, panel.region.draw_button)
    drawn = next(layer for layer in viewer.layers if isinstance(layer, Shapes))
    (row,) = _ticked(panel)
    assert row.text().startswith("On ")
    assert row.text().endswith(drawn.name)
    assert not panel.region.through.isHidden()
    np.testing.assert_array_equal(drawn.data_to_world((1, 2, 3)), scan_layer.data_to_world((1, 2, 3)))
    shown = dock.layers.shown
    at = np.array(shown.layer_index(peak))
    low, high = at[1:] - 4.5, at[1:] + 4.5
    corners = [
        (at[0], low[0], low[1]),
        (at[0], low[0], high[1]),
        (at[0], high[0], high[1]),
        (at[0], high[0], low[1]),
    ]
    drawn.add_rectangles([np.array(corners)])
    assert dock.results.is_outdated
    click(qtbot, panel.run_button)
    settle(dock)
    assert panel.message == ""
    found = dock.examination.anomaly
    examined = shown.in_layer_order(np.isfinite(found.values))
    assert examined.any()
    box = np.zeros(examined.shape, bool)
    box[
        :, max(0, int(np.ceil(low[0]))) : int(high[0]) + 1, max(0, int(np.ceil(low[1]))) : int(high[1]) + 1
    ] = True
    assert not examined[~box].any()
    assert examined.sum() > 0.8 * box.sum()
    assert found.region.how == "drawn on this scan"
    assert str(found.region) in dock.results.headline
    assert not dock.results.is_outdated
    assert found.plan == "drawn region"
    result = next(layer for layer in viewer.layers if layer.name.startswith("Anomaly"))
    assert not np.isfinite(result.data[~box]).any()
    # What was hidden for this kind of study is asked for now.
    dock.body.show_page(Page.RUN)
    assert panel.direction.isVisible()

    # Only in the slices it was drawn in.
    click(qtbot, panel.region.through)
    assert dock.results.is_outdated
    click(qtbot, panel.run_button)
    settle(dock)
    planes = np.isfinite(dock.examination.anomaly.values).any(axis=(1, 2))
    assert planes.sum() == 1
    assert int(np.flatnonzero(planes)[0]) == peak[0]
    assert int(at[0]) in LESION_SHOWN

    # Without it, all of it again.
    row.setCheckState(Qt.CheckState.Unchecked)
    click(qtbot, panel.run_button)
    settle(dock)
    assert dock.examination.anomaly.region is None
    np.testing.assert_array_equal(dock.examination.anomaly.values, whole.anomaly.values)


def test_labels_of_a_reference_are_carried_and_what_is_empty_is_refused(
    qtbot, dock: DetectionDock, settle, study_folder: Path
) -> None:
    viewer, panel = dock._viewer, dock.run_panel
    open_and_mark(qtbot, dock, settle, study_folder)
    settle(dock)
    reference = dock.gallery.references[0]
    dock.layers.show_scan(reference, reference.load())
    layer = dock.layers.shown.layer
    labels = Labels(
        np.zeros(layer.data.shape, np.uint8), scale=layer.scale, translate=layer.translate, units=layer.units
    )
    viewer.add_layer(labels)
    panel.region.choice.item(0).setCheckState(Qt.CheckState.Checked)
    click(qtbot, panel.run_button)
    settle(dock)
    assert panel.message.startswith("P28: The drawn region holds nothing that can be examined.")
    labels.data_setitem(tuple(np.indices((4, 20, 20)).reshape(3, -1) + np.array([[3], [10], [8]])), 1)
    click(qtbot, panel.run_button)
    settle(dock)
    found = dock.examination.anomaly
    assert found.region.how.startswith("carried by")
    assert 0 < np.isfinite(found.values).sum() < 0.5 * found.values.size
    # The layer is gone, and with it the choice.
    viewer.layers.remove(labels)
    assert panel.region.choice.count() == 0
    assert dock.results.is_outdated
    qtbot.keyClick(dock, Qt.Key.Key_Escape)


def test_what_is_drawn_on_a_second_scan_adds_to_the_first_and_each_scan_keeps_its_own(
    qtbot, dock: DetectionDock, settle, study_folder: Path
) -> None:
    panel = dock.run_panel
    open_and_mark(qtbot, dock, settle, study_folder)
    query, references = dock.gallery.query, dock.gallery.references
    dock.layers.show_scan(references[0], references[0].load())
    on_reference = _draw_box(qtbot, dock, (6, 6), (20, 20))
    dock.layers.show_scan(query, query.load())
    assert not on_reference.visible  # over another scan it would mislead
    on_query = _draw_box(qtbot, dock, (8, 8), (24, 24))
    assert len(_ticked(panel)) == 2
    first, second = dock.drawing.regions
    assert (first.series, second.series) == (references[0], query)
    assert first.read().any(axis=0).sum() == 15 * 15  # with the pixels its border runs through
    assert second.read().any(axis=0).sum() == 17 * 17
    click(qtbot, panel.run_button)
    settle(dock)
    found = dock.examination.anomaly.region
    assert found.how == "drawn on this scan"
    assert found.references[0] == "drawn on this scan"
    assert {how.split(",")[0] for how in found.references[1:]} == {"carried by place in the anatomy's box"}
    assert f"drawn on 1 of the {len(references)} references" in dock.results.headline

    # Its own scan shows each again, and what is drawn then belongs to that.
    dock.layers.show_scan(references[0], references[0].load())
    assert on_reference.visible
    assert not on_query.visible
    before = second.read()
    on_reference.add_rectangles([np.array([(0, 25, 6), (0, 25, 9), (0, 28, 9), (0, 28, 6)])])
    first, second = dock.drawing.regions
    assert first.read().any(axis=0).sum() == 15 * 15 + 4 * 4
    np.testing.assert_array_equal(second.read(), before)

    # A layer that is drawn in over another scan all the same belongs to nobody knows which.
    on_query.add_rectangles([np.array([(0, 1, 1), (0, 1, 3), (0, 3, 3), (0, 3, 1)])])
    click(qtbot, panel.run_button)
    assert "which scan" in panel.message
    (row,) = [row for row in _ticked(panel) if row.text().startswith("On two scans")]
    row.setCheckState(Qt.CheckState.Unchecked)
    assert [drawn.series for drawn in dock.drawing.regions] == [references[0]]


def test_a_drawing_outlives_the_layer_of_its_scan_without_its_voxels(
    qtbot, dock: DetectionDock, settle, study_folder: Path
) -> None:
    open_and_mark(qtbot, dock, settle, study_folder)
    query, reference = dock.gallery.query, dock.gallery.references[0]
    dock.layers.show_scan(reference, reference.load())
    voxels = weakref.ref(dock.layers.shown.scan.voxels)
    _draw_box(qtbot, dock, (6, 6), (20, 20))
    dock.layers.show_scan(query, query.load())
    gc.collect()
    assert voxels() is None
    (drawn,) = dock.drawing.regions
    assert drawn.read().sum() == 15 * 15 * reference.grid[0]
