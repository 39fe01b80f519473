"""Real studies against SimpleITK, an independent reader: the same value at the same place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from napari_d24fad.errors import Code
from napari_d24fad.studies.orientation import canonical
from napari_d24fad.studies.scan import Plane, Scan
from napari_d24fad.studies.study import open_study

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs the folder shared/data beside the checkout")

VOLUMES = sorted((DATA / "nifti").rglob("*.nii.gz"))


def assert_same_world(scan: Scan, image: SimpleITK.Image, places: int = 400) -> None:
    """SimpleITK's value at the LPS position of random voxels is the scan's."""
    rng = np.random.default_rng(0)
    for candidate in (scan, canonical(scan)):
        index = np.stack([rng.integers(0, length, places) for length in candidate.grid])
        position = candidate.affine[:3, :3] @ index + candidate.affine[:3, 3:]
        values = [
            image.GetPixel(*image.TransformPhysicalPointToIndex(place.tolist())) for place in position.T
        ]
        np.testing.assert_allclose(np.asarray(candidate.voxels)[tuple(index)], values, rtol=1e-6)


@pytest.mark.parametrize("path", VOLUMES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_nifti(path: Path) -> None:
    (series,) = open_study(path).series
    scan = series.load()
    image = SimpleITK.ReadImage(str(path))
    assert_same_world(scan, image)
    corner = scan.affine[:3] @ (0, 0, 0, 1)
    # SimpleITK rounds the header's affine to make it orthogonal.
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((0, 0, 0)), corner, atol=1e-3)


def test_slices_of_thick_volumes_are_found() -> None:
    thick = [
        series
        for series in open_study(DATA / "nifti").series
        if series.spacing is not None and max(series.spacing) > 2
    ]
    assert [(series.plane, series.grid[series.outline.slice_axis]) for series in thick] == [(Plane.AXIAL, 26)]


def test_t1_structural() -> None:
    folder = DATA / "dicom" / "t1_structural"
    study = open_study(folder)
    (series,) = study.series
    assert (series.n_files, series.grid, series.plane) == (256, (256, 384, 274), Plane.AXIAL)
    assert [problem.code for problem in study.problems] == [Code.FILE_SKIPPED]
    scan = series.load()
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder / "dicoms")))
    image = reader.Execute()
    assert_same_world(scan, image)
    np.testing.assert_array_equal(scan.voxels, SimpleITK.GetArrayFromImage(image))


def test_two_vendors_with_text_files_among_them() -> None:
    study = open_study(DATA / "dicom" / "mr_epi")
    assert [(problem.code, problem.detail) for problem in study.problems] == [
        (Code.FILE_SKIPPED, "7 files: 6 x a text file, 1 x a file of no known format.")
    ]
    assert not [series for series in study.series if series.refusal]
    assert len(study.rows) == 5
    times = [series for series in study.series if series.grid == (15, 64, 64)]
    mosaics = [series for series in study.series if series.grid == (5, 72, 72)]
    assert (len(times), len(mosaics)) == (10, 8)
    reader = SimpleITK.ImageSeriesReader()
    files = sorted((DATA / "dicom" / "mr_epi" / "20180918GE").rglob("*.dcm"))
    for order, series in enumerate(times[:2]):
        # The file names count volume after volume, from inferior to superior.
        reader.SetFileNames([str(path) for path in files[15 * order : 15 * order + 15]])
        assert_same_world(series.load(), reader.Execute())
