from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_d24fad.export.colours import anomaly_limits, overlay_colours
from napari_d24fad.viewer.canvas.layer_data import RESULT_KEY
from napari_d24fad.viewer.canvas.map_view import MapView
from napari_d24fad.viewer.canvas.maps import MARK_COLOUR, ResultLayers
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.gallery.layer_series import layer_series
from tests.heads import GRID, LESION, anomaly_of, head
from tests.viewer.canvas.test_scans import LESION_AT, file_series

CORNERS = np.stack(np.meshgrid(*[(-0.5, size - 0.5) for size in GRID]), axis=-1).reshape(-1, 3)


@pytest.fixture
def viewer() -> ViewerModel:
    """A viewer without a window: enough wherever nothing has to be drawn."""
    return ViewerModel()


@pytest.fixture
def layers(viewer: ViewerModel) -> ScanLayers:
    return ScanLayers(viewer)


@pytest.fixture
def maps(viewer: ViewerModel, layers: ScanLayers) -> ResultLayers:
    return ResultLayers(viewer, layers)


@pytest.fixture
def window(make_napari_viewer_proxy):
    """A viewer that is really drawn, as a plugin gets it."""
    viewer = make_napari_viewer_proxy(show=True)
    viewer.window.resize(900, 800)
    return viewer


def show_both(layers: ScanLayers, maps: ResultLayers) -> tuple[Image, Image]:
    scan = head(0, lesion=True)
    shown = layers.show_scan(file_series(scan), scan)
    anomaly = anomaly_of(scan)
    return shown.layer, maps.show_result(anomaly, anomaly_limits(anomaly))


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
    maps = ResultLayers(window, layers)
    scan_layer, result = show_both(layers, maps)
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
    maps.set_opacity(0.0)
    assert colourfulness(window, qtbot).max() <= 2
    maps.set_opacity(0.5)
    assert result.opacity == 0.5
    assert colourfulness(window, qtbot).max() > 20


def test_layers_share_every_corner(layers: ScanLayers, maps: ResultLayers) -> None:
    scan_layer, result = show_both(layers, maps)
    assert result.data.shape == scan_layer.data.shape == GRID
    for corner in CORNERS:
        np.testing.assert_array_equal(scan_layer.data_to_world(corner), result.data_to_world(corner))
    assert result.units == scan_layer.units
    assert str(result.units[0]) == "millimeter"


def test_map_is_laid_out_like_the_voxels(layers: ScanLayers, maps: ResultLayers) -> None:
    scan_layer, result = show_both(layers, maps)
    lesion = np.asarray(scan_layer.data) > 1000
    np.testing.assert_array_equal(np.asarray(result.data) > 1, lesion)
    assert lesion.any()


def test_second_result_replaces_the_first(
    layers: ScanLayers, maps: ResultLayers, viewer: ViewerModel
) -> None:
    _, first = show_both(layers, maps)
    anomaly = anomaly_of(head(0))
    second = maps.show_result(anomaly, (1.0, 5.0))
    assert second is first, "to make another takes napari a quarter of a second"
    assert second.contrast_limits == [1.0, 5.0]
    assert second.metadata[RESULT_KEY] is anomaly
    np.testing.assert_array_equal(second.data, layers.shown.in_layer_order(anomaly.values))
    assert [layer.name for layer in viewer.layers if layer.name.startswith("Anomaly")] == [second.name]
    assert second.colorbar.visible


def test_result_lies_on_a_layer_from_elsewhere_as_it_is(
    layers: ScanLayers, maps: ResultLayers, viewer: ViewerModel
) -> None:
    voxels = np.asarray(head(0).voxels)
    layer = viewer.add_image(voxels, scale=(-4, 1.5, 2), translate=(7, 8, 9), units=("mm",) * 3)
    series = layer_series(layer, viewer.dims.order)
    layers.adopt(series, layer)
    scan = series.load()
    shown = layers.show_scan(series, scan)
    assert shown.layer == layer
    assert len(viewer.layers) == 1
    result = maps.show_result(anomaly_of(scan), (1.0, 3.0))
    np.testing.assert_array_equal(result.scale, layer.scale)
    np.testing.assert_array_equal(np.asarray(result.data) > 1, anomaly_of(scan).values > 1)
    layers.go_to_slice(6)
    assert layers.current_slice == 6
    np.testing.assert_allclose(viewer.dims.point[0], 7 - 4 * 6)


def test_flat_layer_gets_a_flat_result(layers: ScanLayers, maps: ResultLayers, viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.asarray(head(0).voxels)[5])
    series = layer_series(layer, viewer.dims.order)
    layers.adopt(series, layer)
    scan = series.load()
    layers.show_scan(series, scan)
    anomaly = anomaly_of(head(0))
    flat = replace(anomaly, values=anomaly.values[4:5], slice_scores=anomaly.slice_scores[4:5])
    assert maps.show_result(flat, (1.0, 3.0)).data.shape == layer.data.shape
    assert layers.current_slice == 0


def test_result_needs_a_scan(layers: ScanLayers, maps: ResultLayers) -> None:
    with pytest.raises(ValueError, match="scan"):
        maps.show_result(anomaly_of(head(0)), (1.0, 3.0))


def test_threshold_moves_the_clear_part_and_no_voxel(window, qtbot) -> None:
    layers = ScanLayers(window)
    maps = ResultLayers(window, layers)
    _, result = show_both(layers, maps)  # 3 in the lesion, 0.2 elsewhere
    data = result.data
    layers.go_to_slice(LESION_AT)
    drawn = (colourfulness(window, qtbot) > 20).sum()
    maps.set_limits((0.1, 3.0))
    assert (colourfulness(window, qtbot) > 20).sum() > 4 * drawn
    maps.set_limits((3.5, 4.0))
    assert colourfulness(window, qtbot).max() <= 2
    assert result.data is data


def test_what_was_chosen_in_napari_is_kept_by_the_next_map(
    layers: ScanLayers, maps: ResultLayers, viewer: ViewerModel, qtbot
) -> None:
    _, first = show_both(layers, maps)
    first.colormap, first.gamma, first.blending = "viridis", 0.7, "additive"
    with qtbot.waitSignal(maps.opacity_changed) as told:
        first.opacity = 0.4
    assert told.args == [pytest.approx(0.4)]
    first.contrast_limits = (0.5, 2.5)
    first.colorbar.visible = False
    anomaly = anomaly_of(head(0))
    maps.set_limits(anomaly_limits(anomaly))  # the threshold is where it was
    assert first.contrast_limits == [0.5, 2.5]
    maps.remove()
    _, second = show_both(layers, maps)
    assert second is not first
    assert (second.colormap.name, second.gamma, second.blending) == ("viridis", 0.7, "additive")
    assert second.opacity == pytest.approx(0.4)
    assert not second.colorbar.visible
    viewer.layers.remove(second)  # by the user, and asked for again
    maps.show_values(anomaly.values, (1.0, 3.0), anomaly)
    assert maps.result_layer is not None
    assert maps.result_layer.colormap.name == "viridis"
    maps.set_limits((2.0, 3.0))
    assert maps.result_layer.contrast_limits == [2.0, 3.0]


def test_legend_follows_the_layer(layers: ScanLayers, maps: ResultLayers) -> None:
    _, layer = show_both(layers, maps)
    legend = maps.legend(MapView.SCORE)
    assert legend is not None
    np.testing.assert_allclose(legend.colours, overlay_colours()[:, :3], atol=1e-3)
    assert (legend.limits, legend.scale) == (tuple(layer.contrast_limits), MapView.SCORE.scale)
    assert "clear below the threshold" in legend.scale
    layer.contrast_limits, layer.opacity = (0.5, 2.5), 0.4
    legend = maps.legend(MapView.SCORE)
    assert legend is not None
    assert (legend.limits, legend.opacity) == ((0.5, 2.5), pytest.approx(0.4))
    assert "threshold" not in legend.scale, "it begins elsewhere"
    layer.colormap, layer.gamma = "viridis", 2.0
    legend = maps.legend(MapView.SCORE)
    assert legend is not None
    expected = mpl.colormaps["viridis"](np.linspace(0, 1, len(legend.colours)) ** 2)[:, :3]
    np.testing.assert_allclose(legend.colours, expected, atol=0.01)
    layer.visible = False
    assert maps.legend(MapView.SCORE) is None


def test_map_and_ring_lie_directly_over_their_scan(
    layers: ScanLayers, maps: ResultLayers, viewer: ViewerModel
) -> None:
    other = viewer.add_image(np.asarray(head(1).voxels))
    scan_layer, result = show_both(layers, maps)
    assert list(viewer.layers) == [other, scan_layer, result]
    series = layer_series(other, viewer.dims.order)
    layers.adopt(series, other)
    above = viewer.add_image(np.ones(GRID))
    layers.show_scan(series, series.load())
    result = maps.show_result(anomaly_of(head(0)), (1.0, 3.0))
    maps.mark((4, 25, 30), "Peak of region 1")
    assert list(viewer.layers) == [other, result, maps.mark_layer, above]


def test_other_values_take_the_place_of_the_scores(layers: ScanLayers, maps: ResultLayers) -> None:
    _, result = show_both(layers, maps)
    p_map = -np.log10(anomaly_of(head(0)).p_map())
    maps.show_values(p_map, (1.5, 4.0), anomaly_of(head(0)))
    assert result.contrast_limits == [1.5, 4.0]
    assert np.nanmax(result.data) == pytest.approx(3.0, abs=1e-4)
    assert np.isnan(result.data[0]).all()


def test_a_ring_that_is_taken_back_at_once_does_not_come(
    qtbot, layers: ScanLayers, maps: ResultLayers
) -> None:
    show_both(layers, maps)
    maps.mark((4, 25, 30), "Peak of region 1")
    maps.unmark()
    qtbot.wait(20)
    assert not maps.mark_layer.visible


def test_peak_is_marked_where_it_is(window, qtbot) -> None:
    layers = ScanLayers(window)
    maps = ResultLayers(window, layers)
    scan_layer, result = show_both(layers, maps)
    window.layers.selection.active = result
    peak = (4, 25, 30)
    maps.mark(peak, "Peak of region 1")
    layers.go_to_slice(LESION_AT)
    mark = maps.mark_layer
    assert not mark.visible, "made and drawn in one go, the first would hold the window up"
    qtbot.waitUntil(lambda: mark.visible)
    world = mark.data_to_world(mark.data[0])
    np.testing.assert_allclose(world, scan_layer.data_to_world((LESION_AT, 25, 30)))
    assert mark.units == scan_layer.units
    assert window.layers.selection.active == result
    result.visible = False

    def ring() -> np.ndarray:
        window.canvas.overlays.scale_bar.visible = window.canvas.overlays.text.visible = False
        qtbot.wait(100)
        pixels = window.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
        wanted = np.array([int(MARK_COLOUR[at : at + 2], 16) for at in (1, 3, 5)])
        return np.abs(pixels - wanted).max(axis=2) < 40

    drawn = ring()
    row, column = on_canvas(window, scan_layer, 25, 30, drawn.shape)
    found = np.argwhere(drawn)
    np.testing.assert_allclose((found.min(axis=0) + found.max(axis=0)) / 2, (row, column), atol=2)
    assert not drawn[row, column], "the voxel itself stays visible"
    layers.go_to_slice(LESION_AT + 2)
    assert not ring().any(), "the mark is in its own slice only"
    maps.mark((3, 25, 30), "Peak of region 2")
    assert len(window.layers) == 3
