"""PNG, JPEG and TIFF: grey stays exact, colour stays colour, and what is refused."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.scan import Photometric, Scan
from napari_d24fad.studies.study import open_study

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "images"
NOISE = np.random.default_rng(9)
COLOURS = NOISE.integers(0, 255, (6, 9, 3), dtype=np.uint8)
GREY = NOISE.integers(0, 255, (6, 9), dtype=np.uint8)
DEEP = NOISE.integers(0, 65535, (6, 9)).astype(np.uint16)


def load(path: Path) -> Scan:
    (series,) = open_study(path).series
    return series.load()


def refused(path: Path, code: Code) -> StudyError:
    with pytest.raises(StudyError) as caught:
        load(path)
    assert caught.value.code is code
    return caught.value


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF"])
@pytest.mark.parametrize("pixels", [GREY, DEEP], ids=["8 bit", "16 bit"])
def test_grey_values_are_exact(tmp_path: Path, pixels: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"image{suffix}"
    Image.fromarray(pixels).save(path)
    (series,) = open_study(path).series
    assert series.label == "image 6 x 9"
    assert series.spacing is None
    scan = series.load()
    np.testing.assert_array_equal(scan.voxels[0], pixels)
    np.testing.assert_array_equal(scan.affine, np.eye(4))
    assert scan.photometric is series.photometric is Photometric.DARK_TO_BRIGHT
    assert not scan.has_geometry


@pytest.mark.parametrize(
    "pixels",
    [
        DEEP.astype(">u2"),
        GREY.astype(np.int16) - 99,
        DEEP.astype(np.uint32) * 65000,
        DEEP.astype(np.float32) / 7,
    ],
    ids=["big endian", "signed", "32 bit", "float"],
)
def test_deep_tiff_values_are_exact(tmp_path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "image.tif", pixels, byteorder=">" if pixels.dtype.str[0] == ">" else "<")
    np.testing.assert_array_equal(load(tmp_path / "image.tif").voxels[0], pixels.astype(np.float32))


def test_white_is_zero(tmp_path: Path) -> None:
    """Deep pixels stay as stored and say so; Pillow inverts those of eight bits."""
    tifffile.imwrite(tmp_path / "deep.tif", DEEP, photometric="miniswhite")
    deep = load(tmp_path / "deep.tif")
    assert deep.photometric is Photometric.BRIGHT_TO_DARK
    np.testing.assert_array_equal(deep.voxels[0], DEEP)
    tifffile.imwrite(tmp_path / "grey.tif", GREY, photometric="miniswhite")
    grey = load(tmp_path / "grey.tif")
    assert grey.photometric is Photometric.DARK_TO_BRIGHT
    np.testing.assert_array_equal(grey.voxels[0], 255 - GREY)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_colour_stays_colour(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(COLOURS).save(tmp_path / f"image{suffix}")
    scan = load(tmp_path / f"image{suffix}")
    assert scan.is_colour
    assert scan.voxels.dtype == np.uint8
    np.testing.assert_array_equal(scan.voxels[0], COLOURS)


def test_jpeg(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(64), np.arange(48)).astype(np.uint8)
    colours = np.stack([smooth, 255 - smooth, smooth // 2], axis=-1)
    Image.fromarray(colours).save(tmp_path / "c.jpg", quality=95)
    assert np.abs(load(tmp_path / "c.jpg").voxels[0].astype(int) - colours).mean() < 3
    Image.fromarray(smooth).save(tmp_path / "g.JPEG", quality=95)
    assert np.abs(load(tmp_path / "g.JPEG").voxels[0] - smooth).max() < 4


def test_equal_channels_are_grey(tmp_path: Path) -> None:
    Image.fromarray(np.repeat(GREY[..., None], 3, -1)).save(tmp_path / "image.png")
    scan = load(tmp_path / "image.png")
    assert scan.photometric is Photometric.DARK_TO_BRIGHT
    assert scan.voxels.dtype == np.float32
    np.testing.assert_array_equal(scan.voxels[0], GREY)


def test_chroma_noise_a_tint_and_a_few_marks_leave_a_picture_grey(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(64), np.arange(48)) + 60.0
    tint = np.stack([smooth, smooth + 6, smooth - 8], -1) + NOISE.normal(0, 5, (64, 48, 3))
    pixels = tint.round().astype(np.uint8)
    pixels[4:10, 4:30] = (250, 220, 0)  # 5 % of it, as calipers and text
    Image.fromarray(pixels).save(tmp_path / "image.png")
    scan = load(tmp_path / "image.png")
    assert scan.photometric is Photometric.DARK_TO_BRIGHT
    luminance = pixels @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    np.testing.assert_allclose(scan.voxels[0], luminance, atol=0.51)


def test_a_small_coloured_part_on_black_or_white_stays_colour(tmp_path: Path) -> None:
    for background in (0, 255):
        pixels = np.full((60, 60, 3), background, np.uint8)
        pixels[20:30, 20:30] = (180, 90, 120)  # 3 % of the picture
        Image.fromarray(pixels).save(tmp_path / f"{background}.png")
        assert load(tmp_path / f"{background}.png").is_colour


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the development images beside the checkout")
@pytest.mark.parametrize("task", ["brain_mri", "breast_us", "chest_xray", "fundus", "histology", "oct"])
def test_real_tasks_are_of_one_kind(task: str) -> None:
    """Every 7th image, and those with the strongest tint."""
    paths = sorted(path for path in (SHARED / task).glob("*/*") if path.parent.name != "masks")
    tinted = {"brain_mri": (15, 62, 101, 102), "breast_us": (4, 45), "oct": (40, 42)}.get(task, ())
    chosen = [*paths[::7], *(path for path in paths if path.stem[-3:] in {f"{n:03}" for n in tinted})]
    assert {load(path).is_colour for path in chosen} == {task in ("fundus", "histology")}


def test_alpha_is_dropped_not_blended(tmp_path: Path) -> None:
    alpha = NOISE.integers(0, 255, (6, 9, 1), dtype=np.uint8)
    Image.fromarray(np.concatenate([COLOURS, alpha], -1)).save(tmp_path / "rgba.png")
    np.testing.assert_array_equal(load(tmp_path / "rgba.png").voxels[0], COLOURS)
    Image.fromarray(np.concatenate([GREY[..., None], alpha], -1)).save(tmp_path / "la.png")
    np.testing.assert_array_equal(load(tmp_path / "la.png").voxels[0], GREY)


def test_palette(tmp_path: Path) -> None:
    image = Image.fromarray((GREY % 4).astype(np.uint8)).convert("P")
    palette = np.array([[0, 0, 0], [250, 0, 0], [0, 200, 0], [1, 2, 3]], np.uint8)
    image.putpalette(palette.tobytes())
    image.save(tmp_path / "image.png")
    np.testing.assert_array_equal(load(tmp_path / "image.png").voxels[0], palette[np.asarray(image)])


def test_several_pages_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "image.tif", np.stack([GREY, GREY]), photometric="minisblack")
    assert "2 pages" in refused(tmp_path / "image.tif", Code.NOT_AN_IMAGE).detail


def test_a_kind_of_tiff_that_is_not_read(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "image.tif", DEEP.astype(np.float64))
    refused(tmp_path / "image.tif", Code.UNSUPPORTED_PIXELS)


@pytest.mark.parametrize("name", ["i.png", "i.jpg", "i.tif"])
def test_truncated(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.fromarray(NOISE.integers(0, 255, (60, 90, 3), dtype=np.uint8)).save(path)
    whole = path.read_bytes()
    for cut in (0.95, 0.5, 0.1, 0.005):
        path.write_bytes(whole[: int(cut * len(whole))])
        refused(path, Code.TRUNCATED)


def test_other_files_with_the_suffix(tmp_path: Path) -> None:
    for name in ("i.png", "i.jpg", "i.tif"):
        (tmp_path / name).write_text("not a picture\n")
        refused(tmp_path / name, Code.NOT_AN_IMAGE)


def test_values_that_are_no_anatomy(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 9, np.uint8)).save(tmp_path / "c.png")
    refused(tmp_path / "c.png", Code.CONSTANT_IMAGE)
    tifffile.imwrite(tmp_path / "n.tif", np.array([[1, np.inf]], np.float32))
    refused(tmp_path / "n.tif", Code.NOT_FINITE)


def test_decompression_bomb(tmp_path: Path) -> None:
    """14,000 x 14,000 pixels in 24 kB."""
    Image.new("1", (14000, 14000)).save(tmp_path / "bomb.png")
    refused(tmp_path / "bomb.png", Code.TOO_LARGE)


def test_memory_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "image.png")
    for limit, fits in (("1e-9", False), ("1", True), ("not a number", True)):
        monkeypatch.setenv("D24FAD_MEMORY_LIMIT_GIB", limit)
        if fits:
            load(tmp_path / "image.png")
        else:
            refused(tmp_path / "image.png", Code.TOO_LARGE)


def test_thumbnail_keeps_the_aspect(tmp_path: Path) -> None:
    Image.fromarray(NOISE.integers(0, 255, (40, 100, 3), dtype=np.uint8)).save(tmp_path / "image.png")
    (series,) = open_study(tmp_path / "image.png").series
    assert series.thumbnail(50).shape == (20, 50, 3)


@pytest.mark.parametrize("kind", ["tif", "png", "jpg"])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda grey: grey),
        (2, np.fliplr),
        (3, lambda grey: np.rot90(grey, 2)),
        (4, np.flipud),
        (5, np.transpose),
        (6, lambda grey: np.rot90(grey, -1)),
        (7, lambda grey: np.rot90(grey, 2).T),
        (8, np.rot90),
    ],
)
def test_orientation_of_every_kind(tmp_path: Path, kind: str, orientation: int, upright: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.add.outer(np.arange(8) * 20, np.arange(16) * 5).astype(np.uint8))
    path = tmp_path / f"picture.{kind}"
    image.save(path, exif=exif)
    (series,) = open_study(path).series
    voxels = series.load().voxels[0]
    assert voxels.shape == series.grid[1:]
    expected = upright(np.asarray(image, float))
    assert np.abs(voxels - expected).max() <= (3 if kind == "jpg" else 0)


def test_a_tiff_whose_strips_cover_a_part_of_it(tmp_path: Path) -> None:
    """Pillow reads it, and leaves the rest black."""
    path = tmp_path / "picture.tif"
    Image.fromarray(np.arange(35, dtype=np.uint8).reshape(5, 7)).save(path)
    content = path.read_bytes()
    length = struct.pack("<HHLL", 257, 4, 1, 5)
    short = length if length in content else struct.pack("<HHLHH", 257, 3, 1, 5, 0)
    path.write_bytes(content.replace(short, struct.pack("<HHLL", 257, 4, 1, 50)))
    with Image.open(path) as image:
        assert image.size == (7, 50)
    with pytest.raises(StudyError) as caught:
        open_study(path)
    assert caught.value.code is Code.TRUNCATED
