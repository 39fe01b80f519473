"""Programs of others read the objects: validator, and dcmqi, which 3D Slicer reads them with."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK

from tests.export.dicom.cases import RADIUS_MM, Exported, balls, centres
from tests.studies import phantom


@pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="dciodvfy (Debian package dicom3tools) is not installed"
)
def test_an_independent_validator_finds_no_error(written: Exported) -> None:
    for path in sorted(written.folder.iterdir()):
        if path.name == "labelmap.dcm":  # of 2024, which dciodvfy of 2022 does not know
            continue
        run = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        errors = [line for line in run.stderr.splitlines() if "Error" in line]
        assert errors == [], path.name


def test_another_library_reads_the_same_segments(written: Exported, tmp_path: Path) -> None:
    _, entry, folder = written
    _dcmqi("segimage2itkimage", "--inputDICOM", folder / "segmentation.dcm", tmp_path)
    scan = entry.found.scan
    for number, (mask, centre) in enumerate(zip(balls(scan), centres(scan), strict=True), start=1):
        image = SimpleITK.ReadImage(str(tmp_path / f"{number}.nrrd"))
        inside = np.argwhere(SimpleITK.GetArrayFromImage(image) > 0)
        assert len(inside) == mask.sum()
        places = [image.TransformIndexToPhysicalPoint(tuple(map(int, at[::-1]))) for at in inside]
        assert np.linalg.norm(np.array(places) - centre, axis=1).max() < RADIUS_MM + 1e-3


def test_another_library_reads_the_same_map(written: Exported, tmp_path: Path) -> None:
    _dcmqi("paramap2itkimage", "--inputDICOM", written.folder / "map.dcm", tmp_path)
    image = SimpleITK.ReadImage(str(tmp_path / "pmap.nrrd"))
    values = SimpleITK.GetArrayFromImage(image)
    assert values.size == np.prod(written.series.grid)
    for at in np.argwhere(values > values.min())[::17]:
        place = np.array(image.TransformIndexToPhysicalPoint(tuple(map(int, at[::-1]))))
        assert values[tuple(at)] == pytest.approx(float(phantom.world_value(place)), abs=2e-3)


def test_another_library_reads_the_same_picture_in_its_place(written: Exported) -> None:
    dataset = pydicom.dcmread(written.folder / "key_slice_01.dcm")
    image = SimpleITK.ReadImage(str(written.folder / "key_slice_01.dcm"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image)[0], dataset.pixel_array)
    if "ImagePositionPatient" in dataset:
        np.testing.assert_allclose(image.GetOrigin(), dataset.ImagePositionPatient, atol=1e-4)
        cosines = np.reshape(image.GetDirection(), (3, 3)).T[:2].ravel()
        np.testing.assert_allclose(cosines, dataset.ImageOrientationPatient, atol=1e-5)


def _dcmqi(program: str, option: str, path: Path, folder: Path) -> None:
    run = subprocess.run(
        [str(Path(sys.executable).with_name(program)), option, str(path), "--outputDirectory", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
