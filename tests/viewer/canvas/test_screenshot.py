from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from PIL import Image as Picture

from napari_d24fad.errors import ExportError
from napari_d24fad.export.colours import anomaly_limits
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.export.stamp import Stamp, stamp
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.saving import save_canvas, save_examination
from napari_d24fad.viewer.canvas.map_view import MapView
from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.canvas.screenshot import canvas_picture, canvas_stamp
from napari_d24fad.viewer.gallery.layer_series import layer_series
from tests.heads import GRID, anomaly_of, head


def examination_of_head() -> Examination:
    scan = head(0, lesion=True)
    anomaly = anomaly_of(scan)
    query = layer_series(Image(scan.voxels, name="SMITH^JOHN 1970"))
    return Examination(Request(query, (), "compact", "cpu"), scan, anomaly, anomaly_limits(anomaly))


def show_examination(viewer: ViewerModel) -> tuple[ScanLayers, ResultLayers, Examination]:
    layers = ScanLayers(viewer)
    examination = examination_of_head()
    layers.show_scan(examination.request.query, examination.scan)
    maps = ResultLayers(viewer, layers)
    maps.show_result(examination.anomaly, examination.limits)
    layers.go_to_slice(5)
    return layers, maps, examination


def stamp_of(
    viewer,
    layers: ScanLayers,
    maps: ResultLayers,
    examination: Examination,
    *,
    view: MapView = MapView.SCORE,
    ratio: float = 1.0,
) -> Stamp:
    """What is stamped on a picture with so many pixels for each of the canvas."""
    rows, columns = (round(ratio * side) for side in viewer.canvas.size)
    picture = np.zeros((rows, columns, 3), np.uint8)
    where, index = layers.where, layers.slice_on_canvas
    return canvas_stamp(viewer, layers.shown, examination, where, index, maps.legend(view), picture)


@pytest.fixture
def window(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy(show=True)
    viewer.window.resize(900, 700)
    return viewer


def test_stamp_says_all_that_is_needed_and_nobody_s_name(qtbot) -> None:
    viewer = ViewerModel()
    layers, maps, examination = show_examination(viewer)
    marks = stamp_of(viewer, layers, maps, examination, view=MapView.P_VALUE)
    words = "\n".join((*marks.heading, *marks.footing))
    assert f"slice 6 of {GRID[0]}, H 45.3 mm" in words
    assert "slice score 3.04" in words
    assert examination.request.query.label in words
    assert NOTICE in words
    assert "SMITH" not in words
    assert marks.limits == examination.limits
    assert marks.scale == "−log10 p of the pixel (clear below the threshold)"
    assert marks.letters == ("R", "L", "A", "P")


def test_three_dimensions_claim_no_position(qtbot) -> None:
    viewer = ViewerModel()
    layers, maps, examination = show_examination(viewer)
    viewer.dims.ndisplay = 3
    marks = stamp_of(viewer, layers, maps, examination)
    assert "3-D view" in marks.heading[1]
    assert marks.letters is None
    assert marks.mm_per_pixel is None


def test_rolled_axes_claim_no_slice_and_name_the_sides_of_the_cut(qtbot) -> None:
    viewer = ViewerModel()
    layers, maps, examination = show_examination(viewer)
    viewer.dims.order = (1, 0, 2)
    marks = stamp_of(viewer, layers, maps, examination)
    assert marks.heading[1].startswith("Coronal cut, P 2.0 mm, W ")
    assert marks.letters == ("R", "L", "F", "H"), "nobody turned it upright here, and the letters say so"


def test_a_place_outside_the_scan_claims_nothing(qtbot) -> None:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((90, 9, 9)), scale=(8, 1, 1), units="mm")  # reaches further than the head
    layers, maps, examination = show_examination(viewer)
    viewer.dims.set_point(0, 700.0)
    marks = stamp_of(viewer, layers, maps, examination)
    assert marks.heading[1].startswith("Outside the scan, W ")


def test_scale_bar_measures_the_picture_whatever_the_screen(qtbot) -> None:
    viewer = ViewerModel()
    layers, maps, examination = show_examination(viewer)
    fine, usual = (stamp_of(viewer, layers, maps, examination, ratio=ratio) for ratio in (2.0, 1.0))
    assert usual.mm_per_pixel == pytest.approx(1 / viewer.scene.camera.zoom)
    assert fine.mm_per_pixel == pytest.approx(usual.mm_per_pixel / 2)


def test_picture_of_the_canvas(window, tmp_path: Path) -> None:
    layers, maps, examination = show_examination(window)
    canvas = canvas_picture(window)
    shown, legend = layers.shown, maps.legend(MapView.SCORE)
    marks = canvas_stamp(window, shown, examination, layers.where, layers.slice_on_canvas, legend, canvas)
    save_canvas(canvas, marks, tmp_path / "picture.png", silent, CancelToken())
    page = np.asarray(Picture.open(tmp_path / "picture.png").convert("RGB"), int)
    assert page.shape[0] > canvas.shape[0] + 50
    coloured = (page.max(axis=2) - page.min(axis=2)) > 40
    right = coloured[:, canvas.shape[1] + 30 :]
    assert right.any(axis=1).sum() > 0.8 * canvas.shape[0], "the colour bar stands beside the canvas"
    assert coloured[:, : canvas.shape[1]].any(), "the anomaly is in the picture"

    # The colour bar is that of the layer, whoever chose its colours.
    maps.result_layer.colormap, maps.result_layer.contrast_limits = "green", (0, 5)
    legend = maps.legend(MapView.SCORE)
    recoloured = canvas_stamp(window, shown, examination, "", 5, legend, canvas)
    bar = stamp(canvas_picture(window), recoloured)[:, canvas.shape[1] + 30 :].astype(int)
    greenish = (bar[..., 1] > bar[..., 0] + 40) & (bar[..., 1] > bar[..., 2] + 40)
    assert greenish.any(axis=1).sum() > 0.7 * canvas.shape[0]
    assert (bar[..., 0] > bar[..., 1] + 40).sum() == 0, "no colour of another scale"

    # The scale bar measures what the canvas shows: all voxels white make the width of the scan.
    window.layers[1].visible = False
    window.layers[0].contrast_limits = (0, 1)
    width = (canvas_picture(window)[..., 0] > 60).any(axis=0).nonzero()[0]
    assert (width[-1] - width[0] + 1) * marks.mm_per_pixel == pytest.approx(GRID[2] * 2.2, rel=0.02)

    # napari's own overlays are not in the picture, and stay on the screen.
    overlays = window.canvas.overlays
    window.layers.clear()
    overlays.text.text = "still here"
    overlays.text.visible = overlays.scale_bar.visible = True
    assert np.ptp(canvas_picture(window)) == 0
    assert overlays.text.visible
    assert overlays.scale_bar.visible


def test_the_scale_bar_of_a_layer_in_micrometres_is_told_in_millimetres(qtbot) -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(np.random.default_rng(0).random((40, 60)), scale=(2, 2), units=("um",) * 2)
    layers = ScanLayers(viewer)
    series = layer_series(layer)
    layers.adopt(series, layer)
    scan = series.load()
    layers.show_scan(series, scan)
    examination = replace(examination_of_head(), scan=scan)
    picture = np.zeros((*viewer.canvas.size, 3), np.uint8)
    marks = canvas_stamp(viewer, layers.shown, examination, "", None, None, picture)
    assert marks.letters is None
    assert marks.mm_per_pixel == pytest.approx(1e-3 / viewer.scene.camera.zoom)


def test_results_are_written_all_or_none(tmp_path: Path) -> None:
    examination = examination_of_head()
    save_examination(examination, tmp_path / "out", silent, CancelToken())
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {"anomaly.nii.gz", "overlay.png", "report.json"}
    assert "SMITH" not in (tmp_path / "out" / "report.json").read_text()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExportError):
        save_examination(examination, tmp_path / "file" / "out", silent, CancelToken())
