from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_d24fad.export.anatomy import slice_text
from napari_d24fad.export.colours import anomaly_limits
from napari_d24fad.studies.scan import Scan
from napari_d24fad.viewer.layer_series import LayerSeries, layer_series
from napari_d24fad.viewer.layers import ScanLayers
from tests.viewer.heads import GRID, LESION, anomaly_of, head

LESION_AT = GRID[0] - 1 - 4  # slice 4 of the scan, as the slider counts the reversed slices


def file_series(scan: Scan) -> LayerSeries:
    """Stands for a series that has no layer yet."""
    return layer_series(Image(scan.voxels))


@pytest.fixture
def viewer() -> ViewerModel:
    """A viewer without a window: enough wherever nothing has to be drawn."""
    return ViewerModel()


@pytest.fixture
def layers(viewer: ViewerModel) -> ScanLayers:
    return ScanLayers(viewer)


@pytest.fixture
def window(make_napari_viewer_proxy):
    """A viewer that is really drawn, as a plugin gets it."""
    viewer = make_napari_viewer_proxy(show=True)
    viewer.window.resize(900, 800)
    return viewer


def show_both(layers: ScanLayers) -> tuple[Image, Image]:
    scan = head(0, lesion=True)
    shown = layers.show_scan(file_series(scan), scan)
    anomaly = anomaly_of(scan)
    return shown.layer, layers.show_result(anomaly, anomaly_limits(anomaly))


def colourfulness(viewer, qtbot) -> np.ndarray:
    """How far each canvas pixel is from grey; (rows, columns)."""
    viewer.canvas.overlays.scale_bar.visible = viewer.canvas.overlays.text.visible = False
    for layer in viewer.layers:
        layer.colorbar.visible = False
    qtbot.wait(100)
    pixels = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    return pixels.max(axis=2) - pixels.min(axis=2)


def on_canvas(viewer, layer: Image, row: float, column: float, shape: tuple[int, int]) -> tuple[int, int]:
    """Where a voxel of the slice shown is drawn, in canvas pixels."""
    _, y, x = layer.data_to_world((0, row, column))
    zoom = viewer.scene.camera.zoom
    _, centre_y, centre_x = viewer.scene.camera.center
    return round(shape[0] / 2 + (y - centre_y) * zoom), round(shape[1] / 2 + (x - centre_x) * zoom)


def test_anomaly_is_drawn_in_the_lesion_and_nowhere_else(window, qtbot) -> None:
    layers = ScanLayers(window)
    scan_layer, result = show_both(layers)
    layers.go_to_slice(LESION_AT)
    colour = colourfulness(window, qtbot)
    inside = np.zeros(colour.shape, bool)
    _, rows, columns = LESION
    top, left = on_canvas(window, scan_layer, rows.start - 0.5, columns.start - 0.5, colour.shape)
    bottom, right = on_canvas(window, scan_layer, rows.stop - 0.5, columns.stop - 0.5, colour.shape)
    inside[top:bottom, left:right] = True
    edge = 2  # pixels that napari's rounding may give to either side
    core = inside[top + edge : bottom - edge, left + edge : right - edge]
    assert core.size > 2000, "the lesion covers a good part of the canvas"
    assert (colour[top + edge : bottom - edge, left + edge : right - edge] > 40).all()
    inside[top - edge : bottom + edge, left - edge : right + edge] = True
    assert colour[~inside].max() <= 2, "everything else stays grey"

    for index in (0, GRID[0] - 1):  # the first as shown was not examined, the last is normal
        layers.go_to_slice(index)
        assert colourfulness(window, qtbot).max() <= 2

    layers.go_to_slice(LESION_AT)
    layers.set_opacity(0.0)
    assert colourfulness(window, qtbot).max() <= 2
    layers.set_opacity(0.5)
    assert result.opacity == 0.5
    assert colourfulness(window, qtbot).max() > 20


def test_layers_share_every_corner(layers: ScanLayers) -> None:
    scan_layer, result = show_both(layers)
    assert result.data.shape == scan_layer.data.shape == GRID
    corners = np.stack(np.meshgrid(*[(-0.5, size - 0.5) for size in GRID]), axis=-1).reshape(-1, 3)
    for corner in corners:
        np.testing.assert_array_equal(scan_layer.data_to_world(corner), result.data_to_world(corner))
    assert result.units == scan_layer.units
    assert str(result.units[0]) == "millimeter"


def test_map_is_laid_out_like_the_voxels(layers: ScanLayers) -> None:
    scan_layer, result = show_both(layers)
    lesion = np.asarray(scan_layer.data) > 1000
    np.testing.assert_array_equal(np.asarray(result.data) > 1, lesion)
    assert lesion.any()


def test_second_result_replaces_the_first(layers: ScanLayers, viewer: ViewerModel) -> None:
    _, first = show_both(layers)
    anomaly = anomaly_of(head(0))
    second = layers.show_result(anomaly, (1.0, 5.0))
    assert first not in viewer.layers
    assert second.contrast_limits == [1.0, 5.0]
    assert [layer.name for layer in viewer.layers if layer.name.startswith("Anomaly")] == [second.name]
    assert second.colorbar.visible


def test_same_scan_keeps_its_layer_and_others_are_hidden(layers: ScanLayers, viewer: ViewerModel) -> None:
    scan, other = head(0), head(1)
    series, other_series = file_series(scan), file_series(other)
    first = layers.show_scan(series, scan).layer
    second = layers.show_scan(other_series, other).layer
    assert (first.visible, second.visible) == (False, True)
    again = layers.show_scan(series, head(0))  # read once more from its file: other memory, same scan
    assert again.layer is first
    assert again.slice_order[0] == GRID[0] - 1
    assert (first.visible, second.visible) == (True, False)
    assert len(viewer.layers) == 2


def test_scan_is_shown_again_after_its_layer_was_removed(layers: ScanLayers, viewer: ViewerModel) -> None:
    scan = head(0)
    series = file_series(scan)
    viewer.layers.remove(layers.show_scan(series, scan).layer)
    assert layers.shown is None
    assert layers.show_scan(series, scan).layer in viewer.layers


def test_slider_is_moved_and_followed(layers: ScanLayers, viewer: ViewerModel, qtbot) -> None:
    show_both(layers)
    for index in (0, 3, GRID[0] - 1):
        layers.go_to_slice(index)
        assert viewer.dims.current_step[0] == index
        assert layers.current_slice == index
    with qtbot.waitSignal(layers.slice_changed) as changed:
        viewer.dims.set_current_step(0, 2)
    assert changed.args == [2]


def test_slice_is_named_on_the_canvas_as_in_the_list(layers: ScanLayers, viewer: ViewerModel) -> None:
    show_both(layers)
    layers.go_to_slice(LESION_AT)
    text = viewer.canvas.overlays.text
    assert text.visible
    assert text.text == slice_text(head(0), 4)
    assert f"slice {LESION_AT + 1} of {GRID[0]}" in text.text
    viewer.layers.remove(layers.shown.layer)
    assert not text.visible


def test_result_lies_on_a_layer_from_elsewhere_as_it_is(layers: ScanLayers, viewer: ViewerModel) -> None:
    voxels = np.asarray(head(0).voxels)
    layer = viewer.add_image(voxels, scale=(-4, 1.5, 2), translate=(7, 8, 9), units=("mm",) * 3)
    series = layer_series(layer, viewer.dims.order)
    layers.adopt(series, layer)
    scan = series.load()
    shown = layers.show_scan(series, scan)
    assert shown.layer == layer
    assert len(viewer.layers) == 1
    result = layers.show_result(anomaly_of(scan), (1.0, 3.0))
    np.testing.assert_array_equal(result.scale, layer.scale)
    np.testing.assert_array_equal(np.asarray(result.data) > 1, anomaly_of(scan).values > 1)
    layers.go_to_slice(6)
    assert layers.current_slice == 6
    np.testing.assert_allclose(viewer.dims.point[0], 7 - 4 * 6)


def test_flat_layer_gets_a_flat_result(layers: ScanLayers, viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.asarray(head(0).voxels)[5])
    series = layer_series(layer, viewer.dims.order)
    layers.adopt(series, layer)
    scan = series.load()
    layers.show_scan(series, scan)
    anomaly = anomaly_of(head(0))
    flat = replace(anomaly, values=anomaly.values[4:5], slice_scores=anomaly.slice_scores[4:5])
    assert layers.show_result(flat, (1.0, 3.0)).data.shape == layer.data.shape
    assert layers.current_slice == 0


def test_result_needs_a_scan(layers: ScanLayers) -> None:
    with pytest.raises(ValueError, match="scan"):
        layers.show_result(anomaly_of(head(0)), (1.0, 3.0))


def test_stopped_layers_follow_nothing(layers: ScanLayers, viewer: ViewerModel, qtbot) -> None:
    show_both(layers)
    layers.stop()
    with qtbot.assertNotEmitted(layers.slice_changed):
        viewer.dims.set_current_step(0, 2)
