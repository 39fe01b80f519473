"""What is drawn in Labels and Shapes layers, on the voxels of a scan in its own order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image, Labels, Shapes

from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.studies.scan import Scan
from napari_d24fad.viewer.canvas.drawn import Canvas, drawing_on
from napari_d24fad.viewer.canvas.layer_data import scan_layer_data
from napari_d24fad.viewer.canvas.scans import ShownScan
from napari_d24fad.viewer.gallery.layer_series import LayerSeries


def _shown(flipped: bool = False) -> ShownScan:
    """A scan of 6 x 20 x 16 voxels of 5 x 2 x 3 mm; flipped, its slices run down the patient."""
    affine = np.eye(4)
    affine[:3, :3] = np.diag([3.0, 2.0, -5.0 if flipped else 5.0])[:, ::-1]
    affine[:3, 3] = (-20, 30, 40)
    voxels = np.random.default_rng(0).normal(50, 5, (6, 20, 16)).astype(np.float32)
    scan = Scan(voxels, affine, modality="MR")
    data, settings, _ = scan_layer_data(scan, "scan")
    series = LayerSeries(outline=scan, source=Path(), data=voxels)
    return ShownScan(series, scan, Image(data, **settings), canonical_orientation(scan))


def _over(shown: ShownScan) -> dict[str, object]:
    return {"scale": shown.layer.scale, "translate": shown.layer.translate, "units": shown.layer.units}


@pytest.mark.parametrize("flipped", [False, True])
def test_labels_are_where_they_are_seen(flipped: bool) -> None:
    shown = _shown(flipped)
    data = np.zeros(shown.layer.data.shape, np.uint8)
    data[1:3, 4:9, 5:12] = 2
    expected = shown.orientation.invert(data > 0)
    mask = drawing_on(Labels(data, **_over(shown)), Canvas.of(shown), through=False).read()
    np.testing.assert_array_equal(mask, expected)
    through = drawing_on(Labels(data, **_over(shown)), Canvas.of(shown), through=True).read()
    np.testing.assert_array_equal(through, np.broadcast_to(expected.any(axis=0), expected.shape))


def test_labels_on_another_grid_of_the_world_are_read_at_the_voxels_of_the_scan() -> None:
    shown = _shown()
    fine = np.zeros((12, 40, 32), np.uint8)
    fine[2:6, 8:18, 10:24] = 1
    scale = np.asarray(shown.layer.scale) / 2
    translate = np.asarray(shown.layer.translate) - scale / 2
    layer = Labels(fine, scale=scale, translate=translate, units=shown.layer.units)
    expected = np.zeros(shown.scan.grid, bool)
    expected[1:3, 4:9, 5:12] = True
    mask = drawing_on(layer, Canvas.of(shown), through=False).read()
    np.testing.assert_array_equal(mask, shown.orientation.invert(expected))


def test_a_picture_of_labels_counts_in_all_slices() -> None:
    shown = _shown()
    flat = np.zeros(shown.layer.data.shape[1:], np.uint8)
    flat[3:7, 2:5] = 1
    over = {name: value[1:] for name, value in _over(shown).items()}
    mask = drawing_on(Labels(flat, **over), Canvas.of(shown), through=False).read()
    np.testing.assert_array_equal(shown.orientation.apply(mask), np.broadcast_to(flat > 0, mask.shape))


@pytest.mark.parametrize("flipped", [False, True])
def test_a_box_counts_in_its_slice_or_through_all(flipped: bool) -> None:
    shown = _shown(flipped)
    corners = np.array([[2, 3.6, 4.6], [2, 3.6, 10.4], [2, 9.4, 10.4], [2, 9.4, 4.6]])
    layer = Shapes([corners], shape_type="rectangle", ndim=3, **_over(shown))
    mask = shown.orientation.apply(drawing_on(layer, Canvas.of(shown), through=False).read())
    expected = np.zeros(mask.shape, bool)
    expected[2, 4:10, 5:11] = True
    np.testing.assert_array_equal(mask, expected)
    through = shown.orientation.apply(drawing_on(layer, Canvas.of(shown), through=True).read())
    np.testing.assert_array_equal(through, np.broadcast_to(expected[2], mask.shape))


def test_an_ellipse_and_an_outline_across_the_slices() -> None:
    shown = _shown()
    ellipse = np.array([[1, 4, 3], [1, 4, 11], [1, 14, 11], [1, 14, 3]], float)
    layer = Shapes([ellipse], shape_type="ellipse", ndim=3, **_over(shown))
    mask = drawing_on(layer, Canvas.of(shown), through=False).read()
    y, x = np.indices(mask.shape[1:])
    exact = ((y - 9) / 5) ** 2 + ((x - 7) / 4) ** 2 < 1
    assert mask[1].sum() == pytest.approx(exact.sum(), rel=0.12)
    assert not mask[0].any()
    coronal = np.array([[-0.5, 7, 2.5], [-0.5, 7, 8.5], [3.5, 7, 8.5], [3.5, 7, 2.5]])
    layer = Shapes([coronal], shape_type="polygon", ndim=3, **_over(shown))
    across = drawing_on(layer, Canvas.of(shown), through=False).read()
    assert np.argwhere(across).min(axis=0).tolist() == [0, 7, 3]
    assert np.argwhere(across).max(axis=0).tolist() == [3, 7, 8]


def test_in_an_image_of_one_slice_there_is_one_plane() -> None:
    whole = _shown()
    scan = replace(whole.scan, voxels=whole.scan.voxels[:1])
    data, settings, _ = scan_layer_data(scan, "image")
    image = Image(data, **settings)
    shown = ShownScan(whole.series, scan, image, canonical_orientation(scan))
    corners = np.array([[3.6, 4.6], [3.6, 10.4], [9.4, 10.4], [9.4, 4.6]])
    if image.ndim == 3:
        corners = np.column_stack([np.zeros(4), corners])
    layer = Shapes([corners], shape_type="rectangle", ndim=image.ndim, **_over(shown))
    mask = drawing_on(layer, Canvas.of(shown), through=True).read()
    assert mask.shape == scan.grid
    assert mask.sum() == 36


def test_nothing_drawn_is_refused() -> None:
    shown = _shown()
    line = np.array([[1, 2, 3], [1, 8, 9]], float)
    for layer in (
        Labels(np.zeros(shown.layer.data.shape, np.uint8), **_over(shown)),
        Shapes([line], shape_type="line", ndim=3, **_over(shown)),
        Shapes(ndim=3, **_over(shown)),
    ):
        with pytest.raises(PairingError) as refused:
            drawing_on(layer, Canvas.of(shown), through=True).read()
        assert refused.value.code is Code.REGION_EMPTY
