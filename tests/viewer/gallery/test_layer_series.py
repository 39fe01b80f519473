from __future__ import annotations

import json
from pathlib import Path

import dask.array
import nibabel
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_d24fad.detection.references.regions import find_regions
from napari_d24fad.errors import Code, StudyError
from napari_d24fad.export.anatomy import edge_letters, slice_text
from napari_d24fad.export.report import ReportEntry
from napari_d24fad.export.results import save_results
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.orientation import Orientation, canonical, canonical_orientation
from napari_d24fad.studies.scan import Photometric, Problem
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.canvas.layer_data import scan_layer_data
from napari_d24fad.viewer.gallery.layer_series import LayerSeries, layer_series
from napari_d24fad.viewer.gallery.viewer_series import ViewerSeries
from tests.export.maps import make_map
from tests.heads import head

VOLUME = np.random.default_rng(0).random((6, 20, 16)).astype(np.float32)


def test_layer_of_a_reader_gives_its_scan_back() -> None:
    scan = head(2)
    data, settings, _ = scan_layer_data(scan, "scan")
    series = layer_series(Image(data, **settings))
    loaded = series.load()
    np.testing.assert_array_equal(loaded.voxels, scan.voxels)
    np.testing.assert_array_equal(loaded.affine, scan.affine)
    assert series.label == "MR axial 10 x 40 x 36, 4.1 x 1.7 x 2.2 mm"


def test_scale_and_unit_are_lengths_but_tell_no_side() -> None:
    layer = Image(VOLUME, scale=(0.5, 0.1, 0.2), translate=(1, 2, 3), units=("cm",) * 3)
    scan = layer_series(layer).load()
    assert scan.has_geometry
    np.testing.assert_allclose(scan.spacing, (5, 1, 2))
    assert layer_series(layer).label == "layer 6 x 20 x 16, 5.0 x 1.0 x 2.0 mm, sides not known"
    # The result is laid over the layer as it is, so canonical order must be the layer's own.
    assert canonical_orientation(scan) == Orientation()


def test_a_layer_of_another_reader_states_no_side_anywhere(tmp_path: Path) -> None:
    """Such as a NIfTI reader's, which leaves RAS where this project has LPS."""
    series = layer_series(Image(VOLUME, affine=np.diag([-2.0, -0.5, 0.75, 1]), units=("mm",) * 3))
    scan = series.load()
    assert (scan.plane, scan.in_patient) == (None, False)
    assert edge_letters(canonical(scan)) is None
    assert slice_text(scan, 2) == "Slice 3 of 6"
    (region,) = find_regions(VOLUME, scan, 0.0, 1, np.ones(2))
    assert region.centroid_mm is None
    assert region.volume_mm3 == pytest.approx(VOLUME.size * 0.75)
    labels = ("Reference 1", "Reference 2")
    save_results(tmp_path, [ReportEntry(scan, series.label, make_map(VOLUME, scan.affine), labels)])
    query = json.loads((tmp_path / "report.json").read_text())["results"][0]["query"]
    assert [query[key] for key in ("plane", "sides_known", "affine_lps")] == [None, False, None]
    assert query["spacing_mm"] == [2, 0.5, 0.75]
    header = nibabel.load(tmp_path / "anomaly.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)
    assert header.get_xyzt_units()[0] == "mm"
    np.testing.assert_allclose(header.get_zooms(), (0.75, 0.5, 2))
    assert not np.any([header[f"srow_{axis}"] for axis in "xyz"])
    (written,) = open_study(tmp_path / "anomaly.nii.gz").series
    assert written.label == "NIfTI 6 x 20 x 16, 2.0 x 0.5 x 0.8 mm, sides not known"


def test_micrometres_are_told_as_such() -> None:
    stack = Image(VOLUME, scale=(2, 0.25, 0.25), units=("um",) * 3)
    assert layer_series(stack).label == "layer 6 x 20 x 16, 2 x 0.25 x 0.25 µm, sides not known"
    tissue = Image(VOLUME[0], scale=(0.5, 0.5), units=("um",) * 2)
    assert layer_series(tissue).label == "layer 20 x 16, 0.5 x 0.5 µm, sides not known"


def test_without_a_unit_of_length_there_is_no_geometry_but_an_aspect() -> None:
    scan = layer_series(Image(VOLUME, scale=(4, 1, 2))).load()
    assert not scan.has_geometry
    np.testing.assert_allclose(scan.spacing, (4, 1, 2))


def test_axis_under_the_slider_is_the_slice_axis() -> None:
    layer = Image(VOLUME, units=("mm",) * 3)
    assert layer_series(layer, (0, 1, 2)).outline.slice_axis == 0
    rolled = layer_series(layer, (1, 2, 0))
    assert rolled.outline.slice_axis == 1
    assert rolled.plane is None
    assert layer_series(layer, (0, 3, 1, 2)).outline.slice_axis == 2
    assert rolled.thumbnail(64).ndim == 2


def test_flat_image_becomes_a_single_slice() -> None:
    scan = layer_series(Image(VOLUME[0], scale=(1, 2))).load()
    assert scan.grid == (1, 20, 16)
    np.testing.assert_allclose(scan.spacing, (1, 1, 2))
    assert not scan.is_volume


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_becomes_eight_bit_rgb(channels: int) -> None:
    pixels = np.random.default_rng(0).random((12, 10, channels)).astype(np.float32)
    scan = layer_series(Image(pixels, rgb=True)).load()
    assert scan.photometric is Photometric.COLOUR
    assert scan.voxels.dtype == np.uint8
    np.testing.assert_allclose(scan.voxels[0] / 255, pixels[..., :3], atol=1 / 255)


def test_eight_bits_may_be_kept_in_a_long_number() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 10, 3)).astype(np.int64)
    np.testing.assert_array_equal(layer_series(Image(pixels, rgb=True)).load().voxels[0], pixels)


@pytest.mark.parametrize("brightest", [65535, 900])
def test_colour_of_sixteen_bits_keeps_the_upper_eight(brightest: int) -> None:
    pixels = np.random.default_rng(0).integers(0, brightest + 1, (12, 10, 3)).astype(np.uint16)
    scan = layer_series(Image(pixels, rgb=True)).load()
    assert scan.voxels.dtype == np.uint8
    np.testing.assert_array_equal(scan.voxels[0], pixels // 256)


@pytest.mark.parametrize(("kind", "factor"), [(np.int16, -1), (np.int16, 100), (np.uint32, 2**20), (bool, 1)])
def test_colour_of_other_depths_is_refused(kind: type, factor: int) -> None:
    pixels = (np.random.default_rng(0).integers(0, 256, (12, 10, 3)) * factor).astype(kind)
    with pytest.raises(StudyError) as refused:
        layer_series(Image(pixels, rgb=True)).load()
    assert refused.value.code is Code.UNSUPPORTED_PIXELS


def test_lazy_and_multiscale_data_are_read_when_wanted() -> None:
    lazy = dask.array.from_array(VOLUME, chunks=(1, 20, 16))
    np.testing.assert_array_equal(layer_series(Image(lazy)).load().voxels, VOLUME)
    pyramid = Image([VOLUME, VOLUME[:, ::2, ::2]], multiscale=True)
    np.testing.assert_array_equal(layer_series(pyramid).load().voxels, VOLUME)


def test_inverted_grey_is_known_by_its_colormap() -> None:
    assert layer_series(Image(VOLUME, colormap="gray_r")).photometric is Photometric.BRIGHT_TO_DARK


def test_more_dimensions_are_refused() -> None:
    series = layer_series(Image(np.zeros((2, 3, 4, 5))))
    with pytest.raises(StudyError) as refused:
        series.load()
    assert refused.value.code is Code.UNSUPPORTED_PIXELS


def test_nan_is_what_was_not_measured_but_in_colours_it_cannot_be_said() -> None:
    voxels = np.where(VOLUME > 0.9, np.nan, VOLUME)
    scan = layer_series(Image(voxels)).load()
    np.testing.assert_array_equal(scan.voxels, voxels)
    assert Problem(Code.PADDING) in scan.problems
    colours = np.full((12, 10, 3), np.nan)
    with pytest.raises(StudyError) as refused:
        layer_series(Image(colours, rgb=True)).load()
    assert refused.value.code is Code.NOT_FINITE


@pytest.mark.parametrize(
    ("voxels", "code"),
    [(np.zeros((3, 4, 5)), Code.CONSTANT_IMAGE), (np.where(VOLUME > 0.9, np.inf, VOLUME), Code.NOT_FINITE)],
)
def test_layers_without_anatomy_are_refused(voxels: np.ndarray, code: Code) -> None:
    with pytest.raises(StudyError) as refused:
        layer_series(Image(voxels, contrast_limits=(0, 1))).load()
    assert refused.value.code is code


def test_an_edit_in_place_counts_once_napari_has_drawn_it(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(VOLUME.copy())
    watched = ViewerSeries(viewer, lambda layer: False)
    watched.start()
    (series,) = watched.series
    before = series.state(CancelToken())
    with monkeypatch.context() as patched:
        patched.setattr(LayerSeries, "load", None)  # neither is hashed again
        assert series.state(CancelToken()) == before
        viewer.dims.set_current_step(0, 1)
        assert series.state(CancelToken()) == before
    for edit in (
        lambda data: data[:, ::-1].copy(),
        lambda data: data[..., ::-1].copy(),
        lambda data: data * 2,
    ):
        layer.data[...] = edit(layer.data)
        layer.refresh()
        after = series.state(CancelToken())
        assert after != before
        before = after
    assert watched.series == (series,)  # no event said that the data is another
    watched.stop()
