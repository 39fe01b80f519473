"""The release gate: every voxel that a loader returns is where the scan says it is."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_d24fad.studies.orientation import canonical
from napari_d24fad.studies.scan import Plane, Scan
from napari_d24fad.studies.study import open_study
from tests.studies import phantom
from tests.studies.test_orientation import STATED

ORIENTATIONS = {
    "axial": (phantom.AXIAL, Plane.AXIAL),
    "coronal": (phantom.CORONAL, Plane.CORONAL),
    "sagittal": (phantom.SAGITTAL, Plane.SAGITTAL),
    "reversed axial": (phantom.REVERSED_AXIAL, Plane.AXIAL),
    "oblique": (phantom.OBLIQUE, Plane.CORONAL),
}


def load_only(path: Path) -> Scan:
    study = open_study(path)
    assert len(study.series) == 1
    series = study.series[0]
    scan = series.load()
    assert scan.grid == series.grid
    assert scan.plane is series.plane
    assert scan.spacing == series.spacing
    assert scan.voxels.dtype == np.float32
    return scan


def assert_canonical(scan: Scan) -> None:
    upright = canonical(scan)
    phantom.assert_world_linear(upright)
    assert upright.plane is not None
    cosines = upright.affine[:3, :3] / np.linalg.norm(upright.affine[:3, :3], axis=0)
    assert (np.sum(cosines * STATED[upright.plane].T, axis=0) > 0.5).all()


@pytest.mark.parametrize("order", ["forward", "reversed", "shuffled"])
@pytest.mark.parametrize("rescale", [False, True])
@pytest.mark.parametrize("name", ORIENTATIONS)
def test_dicom_series(tmp_path: Path, name: str, rescale: bool, order: str) -> None:
    orientation, plane = ORIENTATIONS[name]
    phantom.write_series(tmp_path, phantom.slice_datasets(orientation, rescale=rescale), order=order)
    scan = load_only(tmp_path)
    phantom.assert_world_linear(scan)
    assert_canonical(scan)
    assert scan.grid == phantom.GRID
    assert scan.plane is plane
    np.testing.assert_allclose(scan.spacing, phantom.SPACING)
    np.testing.assert_allclose(scan.affine, phantom.phantom_affine(orientation), atol=1e-6)


def test_slices_stored_against_their_normal(tmp_path: Path) -> None:
    """Instance Number runs against the normal, as it does in feet-first series."""
    datasets = phantom.slice_datasets(phantom.OBLIQUE)[::-1]
    for number, dataset in enumerate(datasets, 1):
        dataset.InstanceNumber = number
    phantom.write_series(tmp_path, datasets)
    phantom.assert_world_linear(load_only(tmp_path))


@pytest.mark.parametrize("frame_order", [None, (3, 0, 4, 1, 2)])
@pytest.mark.parametrize("name", ORIENTATIONS)
def test_enhanced_multiframe(tmp_path: Path, name: str, frame_order: tuple[int, ...] | None) -> None:
    orientation, plane = ORIENTATIONS[name]
    path = phantom.save(phantom.enhanced_dataset(orientation, frame_order=frame_order), tmp_path / "enhanced")
    scan = load_only(path)
    phantom.assert_world_linear(scan)
    assert_canonical(scan)
    assert scan.plane is plane


@pytest.mark.parametrize("slope", [1.0, 0.25])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("codes", ["RAS", "LPS", "LAS", "PSR", "SRA", "IPL", "oblique"])
def test_nifti(tmp_path: Path, codes: str, suffix: str, slope: float) -> None:
    if codes == "oblique":
        row, column = np.array(phantom.OBLIQUE[:3]), np.array(phantom.OBLIQUE[3:])
        directions = np.stack([row, column, np.cross(row, column)], axis=1)
    else:
        orientation = nibabel.orientations.axcodes2ornt(codes)
        directions = nibabel.orientations.inv_ornt_aff(orientation, (1, 1, 1))[:3, :3].T
        assert "".join(nibabel.aff2axcodes(np.block([[directions, np.zeros((3, 1))], [0, 0, 0, 1]]))) == codes
    path = tmp_path / f"volume{suffix}"
    ras = phantom.write_nifti(path, directions, slope=slope)
    scan = load_only(path)
    phantom.assert_world_linear(scan)
    assert_canonical(scan)
    # Turned back to RAS and to the stored axis order, the affine is the file's to the bit.
    back = (np.diag([-1.0, -1, 1, 1]) @ scan.affine)[:, [2, 1, 0, 3]]
    np.testing.assert_array_equal(back, ras)
    np.testing.assert_allclose(scan.voxels.transpose(2, 1, 0), nibabel.load(path).get_fdata(), rtol=1e-6)
