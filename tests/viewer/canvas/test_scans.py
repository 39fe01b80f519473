from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_d24fad.export.anatomy import slice_text
from napari_d24fad.studies.scan import Photometric, Scan
from napari_d24fad.viewer.canvas.layer_data import scan_layer_data, scan_of_layer
from napari_d24fad.viewer.canvas.scans import ScanLayers, ShownScan
from napari_d24fad.viewer.gallery.layer_series import LayerSeries, layer_series
from tests.heads import GRID, head

LESION_AT = GRID[0] - 1 - 4  # slice 4 of the scan, as the slider counts the reversed slices


def show(layers: ScanLayers) -> ShownScan:
    scan = head(0, lesion=True)
    return layers.show_scan(file_series(scan), scan)


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


def test_same_scan_keeps_its_layer_and_its_zoom(layers: ScanLayers, viewer: ViewerModel) -> None:
    scan = head(0)
    series = file_series(scan)
    first = layers.show_scan(series, scan).layer
    viewer.scene.camera.zoom = 7.5
    again = layers.show_scan(series, head(0))  # read once more from its file: other memory, same scan
    assert again.layer is first
    assert again.slice_order[0] == GRID[0] - 1
    assert viewer.scene.camera.zoom == 7.5
    assert list(viewer.layers) == [first]


def test_the_next_scan_takes_the_place_of_the_one_before(
    layers: ScanLayers, viewer: ViewerModel, qtbot
) -> None:
    radiograph = replace(head(0), voxels=np.zeros((1, 145, 145), np.float32), has_geometry=False)
    layers.show_scan(file_series(radiograph), radiograph)
    viewer.scene.camera.zoom = 7.5
    scan = head(1)
    with qtbot.assertNotEmitted(layers.removed):  # nobody removed what is shown
        shown = layers.show_scan(file_series(scan), scan)
    assert list(viewer.layers) == [shown.layer]
    assert viewer.dims.nsteps[0] == GRID[0]
    assert {str(unit) for unit in viewer.layers.units} == {"millimeter"}
    assert viewer.scene.camera.zoom != 7.5


def test_the_next_scan_looks_as_in_a_layer_of_its_own(layers: ScanLayers, viewer: ViewerModel) -> None:
    first = show(layers).layer
    first.opacity, first.gamma, first.visible = 0.4, 0.5, False
    scan = replace(head(1), photometric=Photometric.BRIGHT_TO_DARK, has_geometry=False)
    series = file_series(scan)
    layers.windows[series] = (100.0, 300.0)
    layer = layers.show_scan(series, scan).layer
    assert layer is first
    new = Image(*scan_layer_data(scan, series.title)[:1], **scan_layer_data(scan, series.title)[1])
    for look in ("name", "opacity", "gamma", "visible", "units", "axis_labels", "colormap"):
        assert getattr(layer, look) == getattr(new, look), look
    np.testing.assert_array_equal(layer.scale, new.scale)
    assert layer.contrast_limits == [100, 300]
    assert layer.contrast_limits_range == [100, 300]
    assert scan_of_layer(layer) is scan

    # What napari cannot show in it, or somebody turned or covered, gets another.
    for other in (
        replace(scan, voxels=scan.voxels.astype(np.int16)),
        replace(scan, voxels=np.zeros((*GRID, 3), np.uint8), photometric=Photometric.COLOUR),
    ):
        layers.show_scan(series, scan)
        kept = layers.show_scan(file_series(scan), other).layer
        assert list(viewer.layers) == [kept]
        np.testing.assert_array_equal(kept.data, layers.shown.orientation.apply(other.voxels))
    turned = show(layers).layer
    turned.rotate = 30
    assert show(layers).layer is not turned
    below = layers.shown.layer
    viewer.add_image(np.ones(GRID))
    assert show(layers).layer is not below
    assert not layers.is_covered


def test_what_was_shown_before_leaves_no_array_behind(layers: ScanLayers, viewer: ViewerModel) -> None:
    scans = [head(number) for number in range(3)]
    gone = [weakref.ref(scan.voxels) for scan in scans]
    for scan in scans:
        layers.show_scan(file_series(scan), scan)
    del scan, scans
    viewer.layers.clear()  # by the user
    viewer.add_image(np.zeros((4, 4)))  # napari itself keeps the layer that was last selected
    gc.collect()
    assert [one() is None for one in gone] == [True] * 3


def test_layers_of_others_stay_as_they_are(layers: ScanLayers, viewer: ViewerModel) -> None:
    voxels = np.asarray(head(0).voxels)
    one, two = viewer.add_image(voxels, name="one"), viewer.add_image(voxels, name="two", visible=False)
    labels = viewer.add_labels(np.zeros(GRID, int))
    series = {layer.name: layer_series(layer) for layer in (one, two)}
    for layer in (one, two):
        layers.adopt(series[layer.name], layer)
    layers.show_scan(series["two"], series["two"].load())
    assert [layer.visible for layer in viewer.layers] == [True, True, True]
    assert not layers.is_covered
    layers.show_scan(series["one"], series["one"].load())
    # What was made visible to be examined is hidden again; nothing else is.
    assert [layer.visible for layer in viewer.layers] == [True, False, True]
    two.visible = True
    assert layers.is_covered
    show(layers)
    assert [layer.visible for layer in viewer.layers] == [True] * 4
    assert list(viewer.layers)[:3] == [one, two, labels]
    assert not any(layers.is_own(layer) for layer in (one, two, labels))


def test_scan_is_shown_again_after_its_layer_was_removed(layers: ScanLayers, viewer: ViewerModel) -> None:
    scan = head(0)
    series = file_series(scan)
    viewer.layers.remove(layers.show_scan(series, scan).layer)
    assert layers.shown is None
    assert layers.show_scan(series, scan).layer in viewer.layers


def test_slider_is_moved_and_followed(layers: ScanLayers, viewer: ViewerModel, qtbot) -> None:
    show(layers)
    for index in (0, 3, GRID[0] - 1):
        layers.go_to_slice(index)
        assert viewer.dims.current_step[0] == index
        assert layers.current_slice == index
    with qtbot.waitSignal(layers.slice_changed) as changed:
        viewer.dims.set_current_step(0, 2)
    assert changed.args == [2]


def test_slice_is_named_on_the_canvas_as_in_the_list(layers: ScanLayers, viewer: ViewerModel) -> None:
    show(layers)
    layers.go_to_slice(LESION_AT)
    text = viewer.canvas.overlays.text
    assert text.visible
    assert text.text == slice_text(head(0), 4)
    assert f"slice {LESION_AT + 1} of {GRID[0]}" in text.text
    viewer.layers.remove(layers.shown.layer)
    assert not text.visible


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_every_slider_goes_to_a_voxel(
    layers: ScanLayers, viewer: ViewerModel, order: tuple[int, int, int]
) -> None:
    shown = show(layers)
    viewer.dims.order = order
    index = (4, 23, 30)
    layers.go_to(index)
    assert viewer.dims.current_step == tuple(int(at) for at in shown.layer_index(index))


def test_what_is_no_slice_of_the_scan_is_not_named_as_one(layers: ScanLayers, viewer: ViewerModel) -> None:
    viewer.add_image(np.zeros((90, 9, 9)), scale=(8, 1, 1), units="mm")  # reaches further than the head
    show(layers)
    layers.go_to_slice(LESION_AT)
    text = viewer.canvas.overlays.text
    named = text.text
    assert layers.slice_on_canvas == LESION_AT
    for change, undo, words in (
        (lambda: viewer.dims.set_point(0, 700.0), lambda: layers.go_to_slice(LESION_AT), "Outside the scan"),
        (
            lambda: setattr(viewer.dims, "order", (1, 0, 2)),
            lambda: setattr(viewer.dims, "order", (0, 1, 2)),
            "Coronal cut, P 3.7 mm",
        ),
        (
            lambda: setattr(viewer.dims, "ndisplay", 3),
            lambda: setattr(viewer.dims, "ndisplay", 2),
            "3-D view",
        ),
    ):
        change()
        assert text.text == words
        assert layers.slice_on_canvas is None
        undo()
        assert text.text == named


def test_stopped_layers_follow_nothing(layers: ScanLayers, viewer: ViewerModel, qtbot) -> None:
    show(layers)
    layers.stop()
    with qtbot.assertNotEmitted(layers.slice_changed):
        viewer.dims.set_current_step(0, 2)


def test_caption_stands_below_the_position(layers: ScanLayers, viewer: ViewerModel) -> None:
    show(layers)
    layers.set_caption("Colours: anomaly score")
    layers.go_to_slice(LESION_AT)
    where, caption = viewer.canvas.overlays.text.text.splitlines()
    assert where == slice_text(head(0), 4)
    assert caption == "Colours: anomaly score"


def test_voxel_is_found_in_the_layer(layers: ScanLayers) -> None:
    shown = show(layers)
    index = (4, 23, 30)
    place = tuple(int(at) for at in shown.layer_index(index))
    assert np.asarray(shown.layer.data)[place] == shown.scan.voxels[index]
    assert place[0] == LESION_AT
