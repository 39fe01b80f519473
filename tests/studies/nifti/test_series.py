"""NIfTI: slice axis, colours, several volumes, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.scan import Photometric, Plane, Problem, Scan
from napari_d24fad.studies.study import open_study

NOISE = np.random.default_rng(5)


def save(path: Path, array: np.ndarray, affine: np.ndarray | None = None) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4) if affine is None else affine), path)
    return path


def load(path: Path) -> Scan:
    (series,) = open_study(path).series
    return series.load()


def refused(path: Path, code: Code) -> StudyError:
    with pytest.raises(StudyError) as caught:
        load(path)
    assert caught.value.code is code
    return caught.value


@pytest.mark.parametrize(
    ("zooms", "slice_axis", "plane"),
    [
        ((1.0, 1.0, 1.0), 0, Plane.AXIAL),
        ((0.9, 0.9, 5.5), 0, Plane.AXIAL),
        ((0.9, 5.5, 0.9), 1, Plane.CORONAL),
        ((5.5, 0.9, 0.9), 2, Plane.SAGITTAL),
        ((1.1, 1.0, 1.0), 0, Plane.AXIAL),
    ],
)
def test_slice_axis_is_the_widest_or_else_the_body_axis(
    tmp_path: Path, zooms: tuple[float, ...], slice_axis: int, plane: Plane
) -> None:
    path = save(tmp_path / "v.nii", NOISE.normal(size=(4, 5, 6)).astype(np.float32), np.diag([*zooms, 1]))
    scan = load(path)
    assert scan.slice_axis == slice_axis
    assert scan.plane is plane
    (series,) = open_study(path).series
    assert series.label.startswith(f"NIfTI {plane.value} {scan.n_slices} x ")


def test_one_slice_is_a_slice_whatever_its_thickness(tmp_path: Path) -> None:
    pixels = NOISE.normal(size=(6, 1, 5)).astype(np.float32)
    scan = load(save(tmp_path / "v.nii", pixels, np.diag([2.0, 1, 1, 1])))
    assert scan.slice_axis == 1
    assert scan.plane is Plane.CORONAL
    assert not scan.is_volume


def test_two_dimensions(tmp_path: Path) -> None:
    pixels = NOISE.normal(size=(6, 5)).astype(np.float32)
    scan = load(save(tmp_path / "v.nii", pixels))
    np.testing.assert_array_equal(scan.voxels, pixels.T[np.newaxis])


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_every_volume_is_a_series(tmp_path: Path, suffix: str) -> None:
    volumes = NOISE.integers(-99, 99, (4, 5, 6, 3)).astype(np.int16)
    series = open_study(save(tmp_path / f"v{suffix}", volumes)).series
    assert [one.identity.description for one in series] == [f"NIfTI volume {i} of 3" for i in (1, 2, 3)]
    for index, one in enumerate(series):
        np.testing.assert_array_equal(one.load().voxels, volumes[..., index].T)
        assert one.thumbnail().size


def test_a_lone_fourth_dimension_is_no_matter(tmp_path: Path) -> None:
    volume = NOISE.integers(-99, 99, (4, 5, 6, 1)).astype(np.int16)
    np.testing.assert_array_equal(load(save(tmp_path / "v.nii", volume)).voxels, volume[..., 0].T)


def test_colours(tmp_path: Path) -> None:
    colours = NOISE.integers(0, 255, (4, 5, 6, 3), dtype=np.uint8)
    stored = np.empty((4, 5, 6), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    for index, name in enumerate("RGB"):
        stored[name] = colours[..., index]
    scan = load(save(tmp_path / "v.nii", stored))
    assert scan.photometric is Photometric.COLOUR
    np.testing.assert_array_equal(scan.voxels, colours.transpose(2, 1, 0, 3))


def test_micrometres_and_metres(tmp_path: Path) -> None:
    for unit, factor in (("micron", 1e-3), ("meter", 1e3)):
        image = nibabel.Nifti1Image(NOISE.normal(size=(4, 5, 6)).astype(np.float32), np.diag([2.0, 3, 4, 1]))
        image.header.set_xyzt_units(unit)
        nibabel.save(image, tmp_path / "v.nii")
        np.testing.assert_allclose(load(tmp_path / "v.nii").spacing, np.array([4, 3, 2]) * factor)


def test_without_an_orientation_it_is_a_plain_image(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(NOISE.normal(size=(4, 5, 6)).astype(np.float32), None)
    image.header.set_zooms((2.0, 1.0, 3.0))
    nibabel.save(image, tmp_path / "v.nii")
    scan = load(tmp_path / "v.nii")
    assert not scan.has_geometry
    assert scan.plane is None
    assert [problem.code for problem in scan.problems] == [Code.AMBIGUOUS_GEOMETRY]
    assert scan.spacing == (3.0, 1.0, 2.0)


def test_without_an_orientation_lengths_count_where_their_unit_is_stated(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(NOISE.normal(size=(4, 5, 6)).astype(np.float32), None)
    image.header.set_zooms((2.0, 1.0, 3.0))
    image.header.set_xyzt_units("micron")
    nibabel.save(image, tmp_path / "v.nii")
    (series,) = open_study(tmp_path / "v.nii").series
    scan = series.load()
    assert (scan.has_geometry, scan.in_patient, scan.plane) == (True, False, None)
    assert series.label == "NIfTI 6 x 5 x 4, 3 x 1 x 2 µm, sides not known"
    assert [problem.code for problem in scan.problems] == [Code.AMBIGUOUS_GEOMETRY]


def test_singular_affine(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(NOISE.normal(size=(4, 5, 6)).astype(np.float32), None)
    image.set_sform(np.diag([1.0, 1, 0, 1]), code=1)
    nibabel.save(image, tmp_path / "v.nii")
    refused(tmp_path / "v.nii", Code.AMBIGUOUS_GEOMETRY)


def test_values_that_are_no_anatomy(tmp_path: Path) -> None:
    refused(save(tmp_path / "c.nii", np.ones((4, 5, 6), np.int16)), Code.CONSTANT_IMAGE)
    values = NOISE.normal(size=(4, 5, 6)).astype(np.float32)
    for value in (np.inf, -np.inf):
        values[1, 2, 3] = value
        values[0, 0, 0] = np.nan
        refused(save(tmp_path / "n.nii", values), Code.NOT_FINITE)
    refused(save(tmp_path / "e.nii", np.full((4, 5, 6), np.nan, np.float32)), Code.CONSTANT_IMAGE)


def test_nan_is_what_was_not_measured(tmp_path: Path) -> None:
    values = NOISE.normal(size=(4, 5, 6)).astype(np.float32)
    values[2:, 1:3] = np.nan
    (series,) = open_study(save(tmp_path / "n.nii", values)).series
    scan = series.load()
    np.testing.assert_array_equal(scan.voxels, values.transpose(2, 1, 0))
    assert Problem(Code.PADDING) in scan.problems
    assert series.thumbnail(64).min() == 0  # NaN is black, and warns of nothing


def test_kinds_of_voxels_and_shapes_that_are_not_read(tmp_path: Path) -> None:
    refused(save(tmp_path / "c.nii", np.ones((4, 5, 6), np.complex64)), Code.UNSUPPORTED_PIXELS)
    refused(save(tmp_path / "five.nii", np.ones((2, 2, 2, 2, 2), np.int16)), Code.MIXED_SERIES)
    refused(save(tmp_path / "many.nii", np.ones((2, 2, 1, 20_001), np.uint8)), Code.MIXED_SERIES)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_truncated(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"v{suffix}", NOISE.integers(0, 9999, (20, 20, 20)).astype(np.int16))
    whole = path.read_bytes()
    for cut in (0.999, 0.6, 0.2, 0.01):
        path.write_bytes(whole[: int(cut * len(whole))])
        refused(path, Code.TRUNCATED)


def test_damaged_compression(tmp_path: Path) -> None:
    path = save(tmp_path / "v.nii.gz", NOISE.integers(0, 9999, (20, 20, 20)).astype(np.int16))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 40] = bytes(40)
    path.write_bytes(whole)
    refused(path, Code.TRUNCATED)


def test_other_files_with_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "t.nii").write_text("not a volume\n" * 50)
    refused(tmp_path / "t.nii", Code.NOT_AN_IMAGE)
    (tmp_path / "t.nii.gz").write_bytes(gzip.compress(b"not a volume\n" * 50))
    refused(tmp_path / "t.nii.gz", Code.NOT_AN_IMAGE)


def test_a_header_that_promises_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "v.nii.gz", NOISE.integers(0, 9, (20, 20, 20)).astype(np.int16))
    monkeypatch.setenv("D24FAD_MEMORY_LIMIT_GIB", "0.00001")
    refused(path, Code.TOO_LARGE)


def test_thumbnail_stands_upright(tmp_path: Path) -> None:
    """The bright corner lies anterior right: top left on the screen, whatever was stored."""
    for directions in (np.diag([1.0, 1, 1]), np.diag([-1.0, 1, 1]), np.diag([1.0, -1, -1])):
        path = tmp_path / "v.nii"
        ras = np.eye(4)
        ras[:3, :3] = directions
        values = np.zeros((8, 8, 8), np.float32)
        x, y, _ = np.einsum("ij,jklm->iklm", directions, np.indices((8, 8, 8)) - 3.5)
        values[(x > 0) & (y > 0)] = 1  # in RAS, x grows to the right and y to anterior
        save(path, values, ras)
        (series,) = open_study(path).series
        picture = series.thumbnail(8)
        assert picture[:4, :4].min() == 255
        assert picture[4:].max() == picture[:, 4:].max() == 0
