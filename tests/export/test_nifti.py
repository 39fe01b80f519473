"""Phantom gate of the NIfTI writer: every value lies where in the patient it belongs."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
import torch

from napari_d24fad.detection.encoding.prepared import prepare
from napari_d24fad.export.nifti import save_nifti
from napari_d24fad.studies.study import open_study
from tests.export.maps import AXIS_ORDERS, affine_of, linear_map, make_map, world_value

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
GRID = (4, 6, 5)


@pytest.mark.parametrize("tilt", [0.0, 0.35])
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, 1), (1, -1, 1), (-1, -1, -1)])
@pytest.mark.parametrize("order", AXIS_ORDERS)
def test_values_lie_at_their_position_for_nibabel_and_simpleitk(
    tmp_path: Path, order: tuple[int, ...], signs: tuple[int, ...], tilt: float
) -> None:
    save_nifti(linear_map(GRID, affine_of(order, signs, tilt)), tmp_path / "map.nii.gz")

    image = nib.load(tmp_path / "map.nii.gz")
    values = image.get_fdata()
    index = np.stack(np.indices(values.shape), axis=-1)
    ras = index @ image.affine[:3, :3].T + image.affine[:3, 3]
    assert np.abs(values - world_value(ras * [-1, -1, 1])).max() < 0.01

    other = SimpleITK.ReadImage(str(tmp_path / "map.nii.gz"))
    for at in ((0, 0, 0), (4, 0, 0), (0, 5, 0), (0, 0, 3), (4, 5, 3)):
        position = np.array(other.TransformIndexToPhysicalPoint(at))
        assert abs(other.GetPixel(at) - world_value(position)) < 0.01


def test_the_header_says_what_it_is(tmp_path: Path) -> None:
    anomaly = linear_map(GRID, affine_of())
    anomaly.values[1, 2, 3] = np.nan
    save_nifti(anomaly, tmp_path / "map.nii.gz")
    image = nib.load(tmp_path / "map.nii.gz")
    header = image.header
    assert image.get_data_dtype() == np.float32
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)
    assert header.get_xyzt_units()[0] == "mm"
    assert bytes(header["descrip"]).rstrip(b"\0") == b"D2-4FAD anomaly map, research use only"
    np.testing.assert_array_equal(np.argwhere(np.isnan(image.get_fdata())), [[3, 2, 1]])


def test_a_map_opens_as_a_scan_with_what_was_not_examined_left_out(tmp_path: Path) -> None:
    anomaly = linear_map(GRID, affine_of())
    anomaly.values[1, 2, 3] = anomaly.values[3] = np.nan
    save_nifti(anomaly, tmp_path / "map.nii.gz")
    (series,) = open_study(tmp_path / "map.nii.gz").series
    scan = series.load()
    np.testing.assert_array_equal(scan.voxels, anomaly.values)
    np.testing.assert_allclose(scan.affine, anomaly.affine, atol=1e-5)
    # And what is examined of it leaves the same voxels out.
    values = np.zeros((2, 64, 64), np.float32)
    prepared = prepare(scan, 64)
    drawn = prepared.to_slices(torch.from_numpy(values), (1, 3))
    assert prepared.extent is not None
    anatomy = prepared.extent.voxels[[1, 3]]
    np.testing.assert_array_equal(np.isnan(drawn), np.isnan(anomaly.values[[1, 3]]) | ~anatomy)


def test_equal_maps_make_equal_files_that_name_no_file(tmp_path: Path) -> None:
    anomaly = linear_map(GRID, affine_of())
    for name in ("one.nii.gz", "two.nii.gz", "plain.nii"):
        save_nifti(anomaly, tmp_path / name)
    content = (tmp_path / "one.nii.gz").read_bytes()
    assert content == (tmp_path / "two.nii.gz").read_bytes()
    assert content[3] == 0  # no optional field of the gzip header (RFC 1952), such as a name
    assert gzip.decompress(content) == (tmp_path / "plain.nii").read_bytes()


def test_a_sheared_grid_gets_no_qform_that_would_contradict_it(tmp_path: Path) -> None:
    affine = affine_of()
    affine[:3, 0] += 0.4 * affine[:3, 1]  # a tilted CT gantry
    save_nifti(linear_map(GRID, affine), tmp_path / "map.nii.gz")
    header = nib.load(tmp_path / "map.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 0)
    np.testing.assert_allclose(
        header.get_sform() * [[-1], [-1], [1], [1]], affine[:, [2, 1, 0, 3]], atol=1e-5
    )


def test_without_geometry_no_orientation_is_claimed(tmp_path: Path) -> None:
    save_nifti(make_map(np.ones(GRID)), tmp_path / "map.nii.gz", has_geometry=False)
    header = nib.load(tmp_path / "map.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)
    assert header.get_xyzt_units()[0] == "unknown"


@pytest.mark.skipif(not (SHARED / "data" / "nifti").is_dir(), reason="the shared study data is not here")
def test_affines_of_real_files_come_back_to_the_bit(tmp_path: Path) -> None:
    files = sorted((SHARED / "data" / "nifti").glob("*/*.nii.gz"))
    assert files
    for file in files:
        source = nib.load(file)
        # As the project reads NIfTI: axes reversed, RAS to LPS.
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ source.affine[:, [2, 1, 0, 3]]
        save_nifti(make_map(np.zeros(source.shape[::-1]), affine), tmp_path / "map.nii.gz")
        written = nib.load(tmp_path / "map.nii.gz")
        assert written.shape == source.shape
        assert (written.affine == source.affine).all()
