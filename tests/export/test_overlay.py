"""What is seen on an overlay: the right voxels, in the right place, in the right colours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from napari_d24fad.export import overlay
from napari_d24fad.export.colours import anomaly_limits, blend, overlay_colours
from napari_d24fad.export.overlay import draw_overlay, save_png
from napari_d24fad.export.stamp import Stamp, stamp
from napari_d24fad.studies.scan import Photometric
from tests.export.maps import AXIS_ORDERS, affine_of, make_map, make_scan

Picture = npt.NDArray[np.uint8]


def find(page: Picture, part: Picture) -> tuple[int, int]:
    """Upper left corner of a picture that lies pixel for pixel in a page."""
    rows, columns = part.shape[:2]
    for top in range(page.shape[0] - rows + 1):
        for left in np.flatnonzero((page[top, : page.shape[1] - columns + 1] == part[0, 0]).all(axis=-1)):
            if (page[top : top + rows, left : left + columns] == part).all():
                return top, int(left)
    raise AssertionError("the picture is not in the page")


def noise(*shape: int) -> Picture:
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


def test_the_page_holds_the_picture_pixel_for_pixel() -> None:
    picture = noise(211, 300, 3)
    top, left = find(stamp(picture, Stamp(heading=("MR axial",), footing=("Research use only",))), picture)
    assert top > 0
    assert left > 0


def test_each_mark_leaves_ink_where_it_belongs_and_no_mark_leaves_none() -> None:
    picture = np.zeros((500, 500, 3), np.uint8)
    bare = stamp(picture, Stamp())
    assert (bare == picture[0, 0]).all(axis=-1).sum() == 500 * 500
    assert len(np.unique(bare.reshape(-1, 3), axis=0)) == 2  # the picture and the page

    def ink(page: Picture) -> npt.NDArray[np.intp]:
        return np.argwhere(page.min(axis=-1) > 128)

    heading = ink(stamp(picture, Stamp(heading=("A line",))))
    footing = ink(stamp(picture, Stamp(footing=("A line",))))
    bar = ink(stamp(picture, Stamp(mm_per_pixel=0.5)))
    assert heading[:, 0].max() < 50
    assert footing[:, 0].min() > 500
    # A quarter of 250 mm holds 50 mm, which are 100 pixels.
    lengths = np.bincount(bar[:, 0])
    assert lengths.max() == pytest.approx(100, abs=2)
    right = ink(stamp(picture, Stamp(letters=("", "L", "", ""))))
    assert right[:, 1].min() > 480
    assert stamp(picture, Stamp(limits=(1, 2))).shape[1] > bare.shape[1]


def test_a_line_that_is_too_long_does_not_widen_the_page() -> None:
    picture = np.zeros((50, 50, 3), np.uint8)
    short = stamp(picture, Stamp(heading=("x",)))
    two = stamp(picture, Stamp(heading=("x", "y")))
    long = stamp(picture, Stamp(heading=("MR $axial$ " * 40,)))  # and dollar signs are no formula
    assert long.shape == two.shape, "it goes on in a second line, and there is cut short"
    assert long.shape[1] == short.shape[1]


def test_colours_are_clear_below_the_lower_limit_and_where_nothing_was_examined() -> None:
    grey = np.full((1, 5), 100, np.uint8)
    values = np.array([[0.99, np.nan, -5.0, 1.0, 3.0]], np.float32)
    picture = blend(grey, values, (1.0, 3.0))
    np.testing.assert_array_equal(picture[0, :3], 100)
    # Both coloured pixels touch clear ones or each other across a line of one pixel: that is the outline.
    np.testing.assert_array_equal(picture[0, 3], np.round(overlay_colours()[-1, :3] * 255))


def test_inside_the_outline_colours_are_mixed_by_opacity() -> None:
    grey = np.full((5, 5), 100, np.uint8)
    high = np.full((5, 5), 3.0, np.float32)
    expected = 0.4 * 100 + 0.6 * 255 * overlay_colours()[-1, :3]
    np.testing.assert_allclose(blend(grey, high, (1.0, 3.0))[2, 2], expected, atol=1)
    assert np.all(np.diff(overlay_colours()[:, 3]) > 0)


def test_lightness_of_the_colours_grows_with_the_anomaly() -> None:
    luminance = overlay_colours(64)[:, :3] ** 2.2 @ [0.2126, 0.7152, 0.0722]  # Rec. 709
    assert np.all(np.diff(luminance) > 0)


def test_the_scale_is_that_of_the_whole_scan_and_does_not_magnify_the_normal() -> None:
    assert anomaly_limits(make_map(np.array([[[0.5]], [[4.0]]]))) == (1.25, 4.0)
    assert anomaly_limits(make_map(np.array([[[0.5]], [[1.3]]]))) == (1.25, 1.875)
    assert anomaly_limits(make_map(np.full((1, 1, 1), np.nan))) == (1.25, 1.875)


@pytest.mark.parametrize("signs", [(1, 1, -1), (-1, -1, 1)])
@pytest.mark.parametrize("order", AXIS_ORDERS)
def test_a_scan_looks_the_same_however_its_file_stores_it(
    order: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    """The same patient, written with other axis orders and directions, gives the same page."""
    voxels = noise(5, 24, 30)
    hot = np.zeros(voxels.shape)
    hot[3, 2:9, 4:12] = 2.0  # anterior and right
    affine = affine_of()
    affine[:3, :3] = np.eye(3)[:, [2, 1, 0]]  # cubic voxels: any axis may be any other
    scan, anomaly = make_scan(voxels, affine), make_map(hot, affine)
    expected = draw_overlay(scan, anomaly, 3, label="MR")

    def stored(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        return array.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]

    transform = np.zeros((4, 4))
    transform[3, 3] = 1
    for axis, (source, sign) in enumerate(zip(order, signs, strict=True)):
        transform[source, axis] = sign
        transform[source, 3] = 0 if sign > 0 else voxels.shape[source] - 1
    slice_axis = order.index(0)
    again = make_scan(stored(voxels), affine @ transform, slice_axis=slice_axis)
    index = 3 if signs[slice_axis] > 0 else 1
    result = make_map(stored(hot), affine @ transform, slice_axis=slice_axis)
    np.testing.assert_array_equal(draw_overlay(again, result, index, label="MR"), expected)


def test_voxels_are_whole_screen_pixels_in_the_aspect_of_the_patient() -> None:
    voxels = noise(1, 20, 40)
    voxels.flat[:2] = 0, 255
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, [2, 1, 0]] * [5.0, 2.0, 1.0]  # rows are twice as far apart
    scan, anomaly = make_scan(voxels, affine, modality="CT"), make_map(np.zeros(voxels.shape), affine)
    page = draw_overlay(scan, anomaly, 0, label="CT", ct_window=(0.0, 255.0))
    # 40 columns fit 25 times into 1024 pixels. Letters and the scale bar cover the rim only.
    enlarged = np.repeat(np.repeat(voxels[0], 50, axis=0), 25, axis=1)
    inner = np.repeat(enlarged[200:700, 150:850, None], 3, axis=2)
    find(page, inner)


def test_inverted_grey_scales_are_shown_as_they_are_read() -> None:
    voxels = np.linspace(0, 1000, 1200).reshape(1, 30, 40)
    bright = draw_overlay(make_scan(voxels, modality="CR"), make_map(voxels * 0), 0, label="CR")
    scan = make_scan(1000 - voxels, modality="CR", photometric=Photometric.BRIGHT_TO_DARK)
    inverted = draw_overlay(scan, make_map(voxels * 0), 0, label="CR")
    # The percentiles of the window round differently; one step of grey at most.
    assert np.abs(bright[100:-100, 50:-150].astype(int) - inverted[100:-100, 50:-150]).max() <= 2


def test_colour_images_stay_in_colour() -> None:
    voxels = noise(1, 16, 16, 3)
    scan = make_scan(voxels, modality="", photometric=Photometric.COLOUR)
    page = draw_overlay(scan, make_map(np.zeros((1, 16, 16))), 0, label="image")
    find(page, np.repeat(np.repeat(voxels[0], 64, axis=0), 64, axis=1))


def test_a_huge_radiograph_is_reduced_and_a_tiny_one_gets_room_for_words() -> None:
    huge = make_scan(np.arange(4200 * 20).reshape(1, 4200, 20), modality="CR")
    page = draw_overlay(huge, make_map(np.zeros(huge.grid)), 0, label="CR")
    assert 4096 < page.shape[0] < 4096 * 1.3
    tiny = make_scan(np.arange(6).reshape(1, 2, 3), modality="CR")
    assert draw_overlay(tiny, make_map(np.zeros(tiny.grid)), 0, label="CR").shape[1] > 480


def test_a_ct_is_drawn_in_the_window_it_was_examined_in_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = []

    def keep(picture, marks):
        pages.append((picture, marks))
        return stamp(picture, marks)

    monkeypatch.setattr(overlay, "stamp", keep)
    voxels = np.tile(np.array([-850.0, -600.0]), (1, 8, 8))
    anomaly = make_map(np.zeros(voxels.shape), affine_of())
    for modality in ("CT", "MR"):
        scan = make_scan(voxels, affine_of(), modality=modality)
        draw_overlay(scan, anomaly, 0, label="a scan", ct_window=(-1000, 400))
    (picture, marks), (_, others) = pages
    assert marks.heading[0] == "a scan, examined in lung and mediastinum -1000 to 400 HU"
    assert others.heading[0] == "a scan"
    assert set(np.unique(picture)) == {27, 73}  # 255 * 150 / 1400 and 255 * 400 / 1400


def test_a_slice_that_was_not_examined_can_be_drawn() -> None:
    scan = make_scan(noise(2, 8, 8), affine_of())
    anomaly = make_map(np.full((2, 8, 8), np.nan), affine_of(), slice_scores=np.array([np.nan, np.nan]))
    assert draw_overlay(scan, anomaly, 0, label="MR").ndim == 3


@pytest.mark.parametrize("name", ["overlay.png", "overlay.jpg", "overlay"])
def test_png_holds_the_page_and_no_text(tmp_path: Path, name: str) -> None:
    picture = noise(7, 9, 3)
    save_png(picture, tmp_path / name)
    with Image.open(tmp_path / name) as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.asarray(image), picture)
        assert image.info == {}


def test_the_description_is_shown_and_its_line_breaks_are_not() -> None:
    scan = make_scan(noise(1, 8, 8), affine_of())
    identity = replace(scan.identity, description="T1\n  FLAIR", series_uid="1.2")
    other = replace(scan.identity, description="T1 FLAIR", series_uid="1.2")
    pages = [
        draw_overlay(replace(scan, identity=each), make_map(np.zeros((1, 8, 8))), 0, label="MR")
        for each in (identity, other, scan.identity)
    ]
    np.testing.assert_array_equal(pages[0], pages[1])
    assert (pages[0] != pages[2]).any()
