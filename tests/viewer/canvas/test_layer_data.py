from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_d24fad.studies.orientation import canonical
from napari_d24fad.studies.scan import Photometric, Scan, SeriesIdentity
from napari_d24fad.viewer.canvas.layer_data import (
    AFFINE_KEY,
    SCAN_KEY,
    placement,
    scan_layer_data,
    scan_of_layer,
)
from napari_d24fad.viewer.canvas.style import anomaly_colormap, contrast_limits
from tests.heads import head


def layer_of(scan: Scan) -> Image:
    data, settings, kind = scan_layer_data(scan, "scan")
    assert kind == "image"
    return Image(data, **settings)


def test_a_reversed_scan_stands_upright_and_every_voxel_keeps_its_place() -> None:
    scan = head(1)
    layer = layer_of(scan)
    upright = canonical(scan)
    np.testing.assert_array_equal(layer.data, scan.voxels[::-1])
    # For a scan along the patient axes the viewer's world is (z, y, x) of the patient.
    for index in ((0, 0, 0), (9, 39, 35), (4, 20, 7)):
        x, y, z = (upright.affine @ [*index, 1])[:3]
        np.testing.assert_allclose(layer.data_to_world(index), (z, y, x), atol=1e-4)


def test_metadata_holds_the_scan_and_the_true_affine() -> None:
    scan = head(1)
    layer = layer_of(scan)
    assert layer.metadata[SCAN_KEY] is scan
    np.testing.assert_array_equal(layer.metadata[AFFINE_KEY], canonical(scan).affine)
    assert [str(unit) for unit in layer.units] == ["millimeter"] * 3


def test_oblique_scan_is_placed_without_turning_it() -> None:
    angle = np.deg2rad(20)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0, 0, 1.0], [0, 1.5, 0], [4.0, 0, 0]])
    affine[:3, 3] = (10, 20, 30)
    scale, translate = placement(affine)
    np.testing.assert_allclose(scale, (4, 1.5, 1), atol=1e-6)
    # The distance of the first voxel from the patient's origin does not change.
    assert np.linalg.norm(translate) == pytest.approx(np.linalg.norm((10, 20, 30)), abs=1e-5)


@pytest.mark.parametrize(("spacing", "start", "slices"), [(3.758, 91.8, 39), (0.316, 142.96, 18)])
def test_every_slice_can_be_reached_with_the_slider(spacing: float, start: float, slices: int) -> None:
    # With these decimals napari's own arithmetic loses the last slice.
    affine = np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [spacing, 0, 0, start], [0, 0, 0, 1]])
    random = np.random.default_rng(0)
    scan = Scan(random.random((slices, 4, 4)).astype(np.float32), affine)
    viewer = ViewerModel()
    viewer.add_layer(layer_of(scan))
    assert viewer.dims.nsteps[0] == slices


def test_voxels_of_half_a_micrometre_keep_their_size() -> None:
    affine = np.array([[0, 0, 5e-4, 1.5], [0, 5e-4, 0, -2.5], [2e-3, 0, 0, 7.5], [0, 0, 0, 1]])
    scale, _ = placement(affine)
    np.testing.assert_allclose(scale, (2e-3, 5e-4, 5e-4), rtol=1e-4)


def test_without_geometry_lengths_are_pixels() -> None:
    scan = Scan(np.random.default_rng(0).random((1, 6, 5)), np.eye(4), has_geometry=False)
    layer = layer_of(scan)
    assert [str(unit) for unit in layer.units] == ["pixel"] * 3
    np.testing.assert_array_equal(layer.scale, (1, 1, 1))


def test_colour_is_shown_as_colour() -> None:
    voxels = np.random.default_rng(0).integers(0, 255, (2, 6, 5, 3), dtype=np.uint8)
    layer = layer_of(Scan(voxels, np.eye(4), photometric=Photometric.COLOUR, has_geometry=False))
    assert layer.rgb
    np.testing.assert_array_equal(layer.data, voxels)


def test_inverted_grey_is_shown_inverted_and_not_changed() -> None:
    scan = replace(head(1), photometric=Photometric.BRIGHT_TO_DARK)
    layer = layer_of(scan)
    assert layer.colormap.name == "gray_r"
    assert layer.data.max() == scan.voxels.max()


@pytest.mark.parametrize(
    ("body_part", "window"), [("", (-160, 240)), ("HEAD", (0, 80)), ("CHEST", (-1000, 400))]
)
def test_ct_gets_the_window_of_its_body_part(body_part: str, window: tuple[int, int]) -> None:
    voxels = np.linspace(-1000, 1500, 4000, dtype=np.float32).reshape(10, 20, 20)
    scan = Scan(voxels, np.eye(4), modality="CT", identity=SeriesIdentity(body_part=body_part))
    assert contrast_limits(scan) == window


def test_ct_values_outside_every_window_are_still_visible() -> None:
    voxels = np.linspace(20_000, 30_000, 1000, dtype=np.float32).reshape(10, 10, 10)
    low, high = contrast_limits(Scan(voxels, np.eye(4), modality="CT"))
    assert 20_000 <= low < high <= 30_000


def test_values_of_every_column_decide_the_window() -> None:
    """As many voxels as make the sampling step one row of 512, whose first column is air."""
    row = np.full(512, 40, np.int16)
    row[0] = -1000
    voxels = np.broadcast_to(row, (391, 512, 512))
    assert contrast_limits(Scan(voxels, np.eye(4), modality="CT")) == (-160, 240)


def test_a_few_hot_pixels_do_not_darken_the_scan() -> None:
    voxels = np.random.default_rng(0).normal(500, 50, (10, 40, 40)).astype(np.float32)
    voxels[0, 0, :3] = 1e6
    voxels[1, 1, 1] = np.nan
    low, high = contrast_limits(Scan(voxels, np.eye(4), modality="MR"))
    assert 300 < low < 500 < high < 700


def test_limits_never_coincide() -> None:
    mostly_air = np.zeros((4, 50, 50), np.float32)
    mostly_air[2, 25, 25] = 7
    for voxels in (mostly_air, np.full((2, 3, 3), 5.0), np.full((2, 3, 3), np.nan)):
        low, high = contrast_limits(Scan(voxels, np.eye(4)))
        assert high > low


def test_anomaly_colours_are_clear_below_normal_and_where_nothing_was_examined() -> None:
    colours = anomaly_colormap().map(np.array([-0.5, 0.0, np.nan, 0.02, 0.5, 1.0]))
    np.testing.assert_array_equal(colours[:3, 3], 0)
    assert (colours[3:, 3] > 0.3).all()
    luminance = colours[3:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all(), "a perceptual scale: more anomalous is brighter"


def test_scan_is_found_again_until_the_layer_shows_other_data() -> None:
    scan = head(1)
    layer = layer_of(scan)
    assert scan_of_layer(layer) is scan
    layer.data = np.zeros(scan.grid, np.float32)
    assert scan_of_layer(layer) is None
    assert scan_of_layer(Image(np.zeros((3, 4, 5)))) is None
