"""The sample study is real DICOM, and its lesion is where the mask says."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest

from napari_d24fad.errors import Cancelled, Code, ExportError
from napari_d24fad.progress import CancelToken
from napari_d24fad.sample.anatomy import Lesion, mass_effect, scan_head
from napari_d24fad.sample.fields import smooth_field
from napari_d24fad.sample.head import average_head
from napari_d24fad.sample.study import SampleStudy, write_sample_study
from napari_d24fad.sample.subject import draw_subject

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> SampleStudy:
    return write_sample_study(tmp_path_factory.mktemp("sample"))


def read(folder: Path) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]


def volume(folder: Path) -> highdicom.Volume:
    return highdicom.get_volume_from_series(read(folder), apply_presentation_lut=False)


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.dcm"))
    }


def test_every_series_is_one_axial_volume_of_clinical_size(study: SampleStudy) -> None:
    for folder in (study.query, *study.references):
        scan = volume(folder)
        slices, rows, columns = scan.spatial_shape
        assert 36 <= slices <= 40
        assert rows == columns
        assert 160 <= rows <= 192
        assert scan.spacing == pytest.approx((4.0, scan.spacing[1], scan.spacing[1]))
        assert 1.15 <= scan.spacing[1] <= 1.25
        assert highdicom.spatial.get_closest_patient_orientation(scan.affine)[0] in (
            highdicom.PatientOrientationValuesBiped.H,
            highdicom.PatientOrientationValuesBiped.F,
        )


def test_names_are_plainly_synthetic_and_uids_unique(study: SampleStudy) -> None:
    instances = [instance for folder in (study.query, *study.references) for instance in read(folder)]
    assert all(str(instance.PatientName).startswith("SYNTHETIC^") for instance in instances)
    assert all(instance.BurnedInAnnotation == "NO" for instance in instances)
    assert len({instance.SOPInstanceUID for instance in instances}) == len(instances)
    for attribute in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert len({instance[attribute].value for instance in instances}) == 1 + len(study.references)


@pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="dciodvfy (Debian package dicom3tools) is not installed"
)
def test_an_independent_validator_finds_no_error(study: SampleStudy) -> None:
    for folder in (study.query, study.references[0]):
        first = min(folder.iterdir())
        run = subprocess.run(["dciodvfy", str(first)], capture_output=True, text=True, check=False)
        assert "MRImage" in run.stderr + run.stdout
        assert "Error" not in run.stderr + run.stdout


def test_the_mask_has_the_geometry_of_the_query(study: SampleStudy) -> None:
    mask, scan = nibabel.Nifti1Image.from_filename(study.lesion_mask), volume(study.query)
    np.testing.assert_array_equal(mask.shape[::-1], scan.spatial_shape)
    # highdicom orders slices by its own rule, so compare the corners in the patient.
    corners = {tuple(np.round(corner, 3)) for corner in _corners(LPS_TO_RAS @ mask.affine, mask.shape)}
    assert corners == {tuple(np.round(corner, 3)) for corner in _corners(scan.affine, scan.spatial_shape)}


def _corners(affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    index = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1)
    return (affine[:3, :3] @ index + affine[:3, 3:]).T


def test_the_lesion_is_one_dark_mass_of_known_size_and_place(study: SampleStudy) -> None:
    mask = nibabel.Nifti1Image.from_filename(study.lesion_mask)
    inside = np.argwhere(np.asarray(mask.dataobj) > 0)
    volume_mm3 = len(inside) * abs(np.linalg.det(mask.affine))
    assert 20 < 2 * (volume_mm3 * 3 / (4 * np.pi)) ** (1 / 3) < 27
    centre = LPS_TO_RAS @ mask.affine @ (*inside.mean(axis=0), 1)
    assert centre[:3] == pytest.approx(study.lesion_centre_mm, abs=4.0)

    columns, rows, slices = inside.T
    pixels = np.stack([instance.pixel_array for instance in read(study.query)])
    in_lesion = np.median(pixels[slices, rows, columns])
    in_slice = np.percentile(pixels[int(np.median(slices))], 90)
    assert in_lesion < 0.7 * in_slice


def test_only_the_lesion_and_what_it_displaces_differ_from_the_healthy_scan(study: SampleStudy) -> None:
    subject = draw_subject((0, 0))
    healthy, nothing = scan_head(average_head(), subject)
    assert not nothing.any()
    pixels = np.stack([instance.pixel_array for instance in read(study.query)]).astype(float)
    mask = np.asarray(nibabel.Nifti1Image.from_filename(study.lesion_mask).dataobj).transpose(2, 1, 0) > 0
    change = np.abs(pixels - healthy)
    assert change[mask].mean() > 0.2 * subject.gain
    assert change[mask].mean() > 10 * change[~mask].mean()
    points = np.indices(change.shape).reshape(3, -1).T @ subject.affine[:3, :3].T + subject.affine[:3, 3]
    distance = np.linalg.norm(points - study.lesion_centre_mm, axis=1).reshape(change.shape)
    assert change[distance > 50].mean() < 0.005 * subject.gain


def test_tissue_is_pushed_away_from_a_lesion() -> None:
    lesion = Lesion((10.0, 0.0, 0.0), radius_mm=10.0, push_mm=4.0)
    points = np.array([[10.0, 0, 0], [20.0, 0, 0], [0.0, 0, 0], [40.0, 0, 0]], dtype=np.float32).T
    push = mass_effect(lesion, points.reshape(3, 4, 1, 1)).reshape(3, 4).T
    np.testing.assert_allclose(push[:3], [[0, 0, 0], [4, 0, 0], [-4, 0, 0]], atol=1e-5)
    assert 0 < push[3, 0] < 2


def test_subjects_differ_in_anatomy_and_geometry(study: SampleStudy) -> None:
    scans = [volume(folder) for folder in study.references]
    assert len({tuple(np.round(scan.affine[:3, 3], 2)) for scan in scans}) == len(scans)
    middles = [scan.array[scan.spatial_shape[0] // 2, 40:140, 40:140].ravel() for scan in scans]
    correlation = np.corrcoef(middles)[np.triu_indices(len(scans), 1)]
    assert correlation.min() > 0.2
    assert correlation.max() < 0.97


def test_the_same_seed_replaces_the_study_by_the_same_files(study: SampleStudy) -> None:
    before = digest(study.folder)
    again = write_sample_study(study.folder)
    assert again == study
    assert digest(study.folder) == before
    assert {path.name for path in study.folder.iterdir()} == {
        path.name for path in (study.query, study.lesion_mask, *study.references)
    }


def test_another_seed_gives_other_people() -> None:
    assert draw_subject((1, 0)) != draw_subject((0, 0))
    assert draw_subject((1, 0)) == draw_subject((1, 0))


def test_a_cancelled_study_leaves_nothing_half_written(tmp_path: Path) -> None:
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        write_sample_study(
            tmp_path, progress=lambda fraction, _: fraction > 0.3 and cancel.cancel(), cancel=cancel
        )
    assert list(tmp_path.iterdir()) == []


def test_files_of_other_origin_are_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "query" / "thesis.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    with pytest.raises(ExportError) as refusal:
        write_sample_study(tmp_path)
    assert refusal.value.code is Code.CANNOT_WRITE
    assert str(tmp_path) not in str(refusal.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ExportError) as refusal:
        write_sample_study(blocked / "study")
    assert refusal.value.code is Code.CANNOT_WRITE


def test_progress_rises_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    write_sample_study(tmp_path, seed=5, progress=lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)


def test_a_smooth_field_is_standardised_and_smooth() -> None:
    field = smooth_field(np.random.default_rng(0), (90, 80, 70), (2.0, 2.0, 2.0), knot_mm=8.0)
    assert field.shape == (90, 80, 70)
    assert field.mean() == pytest.approx(0.0, abs=0.1)
    assert field.std() == pytest.approx(1.0, abs=0.1)
    assert np.abs(np.diff(field, axis=1)).mean() < 0.4
