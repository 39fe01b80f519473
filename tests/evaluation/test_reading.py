"""Labelled folders: what is read of both layouts, and that all that is wrong is said at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from napari_d24fad.errors import Code, StudyError, TrainingError
from napari_d24fad.evaluation.reading import read_labelled
from tests.detection.subjects import head
from tests.evaluation.images import lesion_of, make_published_task, make_task, picture, write
from tests.studies.phantom import image_dataset, save, slice_datasets, write_series


def refusal(data: Path, **options: int) -> TrainingError:
    with pytest.raises(TrainingError) as caught:
        read_labelled(data, **options)  # type: ignore[arg-type]  # only shots is given
    return caught.value


def test_our_layout(tmp_path: Path) -> None:
    make_task(tmp_path / "disc", masks=True)
    (task,) = read_labelled(tmp_path)
    assert (task.name, task.count(abnormal=False), task.count(abnormal=True)) == ("disc", 7, 4)
    assert task.references == tuple(range(7))
    assert all(scan.may_query for scan in task.scans)
    assert task.has_masks
    last = task.scans[-1]
    assert (last.folder, last.number, last.abnormal, last.kind) == ("abnormal", 4, True, "grey images")
    np.testing.assert_array_equal(last.load().voxels[0], picture(103, lesion=True))
    mask = last.load_mask()
    assert mask is not None
    np.testing.assert_array_equal(mask[0], lesion_of(103))
    assert task.scans[0].load_mask() is None


def test_published_layout_draws_references_from_the_training_images_only(tmp_path: Path) -> None:
    make_published_task(tmp_path / "brain")
    (task,) = read_labelled(tmp_path)
    assert task.references == tuple(range(6))
    assert [scan.folder for scan in task.scans if scan.may_query] == ["test/good"] * 4 + ["test/bad"] * 3
    assert all(scan.load_mask() is not None for scan in task.scans if scan.abnormal)


def test_a_copy_of_a_query_is_no_reference(tmp_path: Path) -> None:
    make_published_task(tmp_path / "brain")
    shutil.copy(tmp_path / "brain/test/good/001.png", tmp_path / "brain/train/good/copy.png")
    make_task(tmp_path / "disc")
    shutil.copy(tmp_path / "disc/normal/001.png", tmp_path / "disc/abnormal/copy.png")
    brain, disc = read_labelled(tmp_path)
    assert (brain.n_copies, len(brain.references), brain.count(abnormal=False)) == (1, 6, 10)
    assert (disc.n_copies, disc.count(abnormal=False), disc.count(abnormal=True)) == (1, 7, 4)


def test_volumes_and_a_mask_of_the_same_case(tmp_path: Path) -> None:
    for label, seeds in (("normal", range(3)), ("abnormal", range(9, 10))):
        (tmp_path / "head" / label).mkdir(parents=True)
        for seed in seeds:
            image = nibabel.Nifti1Image(
                np.asarray(head(seed, lesion=seed == 9).voxels).T, np.diag([2, 2, 4, 1])
            )
            nibabel.save(image, tmp_path / "head" / label / f"case{seed}.nii.gz")
    mask = np.zeros((36, 40, 12), np.uint8)
    mask[10:14, 10:14, 5:7] = 2
    mask[20:24, 10:14, 5:7] = 1
    (tmp_path / "head/masks").mkdir()
    nibabel.save(nibabel.Nifti1Image(mask, np.diag([2, 2, 4, 1])), tmp_path / "head/masks/case9.nii.gz")
    (task,) = read_labelled(tmp_path)
    assert task.is_volumes
    found = task.scans[-1].load_mask()
    assert found is not None
    assert found.shape == (12, 40, 36)
    np.testing.assert_array_equal(found, mask.T > 0)
    nibabel.save(nibabel.Nifti1Image(mask, None), tmp_path / "head/masks/case9.nii.gz")  # without a position
    (task,) = read_labelled(tmp_path)
    found = task.scans[-1].load_mask()
    assert found is not None
    assert int(found.sum()) == int((mask > 0).sum())
    shifted = np.diag([2.0, 2, 4, 1])
    shifted[0, 3] = 30
    nibabel.save(nibabel.Nifti1Image(mask, shifted), tmp_path / "head/masks/case9.nii.gz")
    assert "1 in abnormal (number 1): its mask lies elsewhere" in refusal(tmp_path).detail


def test_a_set_of_normal_volumes_with_an_outlined_organ_is_read_by_its_own_folder(tmp_path: Path) -> None:
    normal = tmp_path / "heads" / "normal"
    normal.mkdir(parents=True)
    for seed in range(3):
        image = nibabel.Nifti1Image(np.asarray(head(seed).voxels).T, np.diag([2, 2, 4, 1]))
        nibabel.save(image, normal / f"case{seed}.nii.gz")
    assert "there is no folder abnormal" in refusal(tmp_path).detail
    organ = np.zeros((36, 40, 12), np.uint8)
    organ[10:20, 10:20, 4:8] = 3
    (tmp_path / "heads" / "anatomy").mkdir()
    nibabel.save(
        nibabel.Nifti1Image(organ, np.diag([2, 2, 4, 1])), tmp_path / "heads" / "anatomy" / "case1.nii"
    )
    (task,) = read_labelled(tmp_path / "heads", normal_only=True)
    assert (task.name, len(task.scans), len(task.references)) == ("heads", 3, 3)
    assert [scan.load_organ() is None for scan in task.scans] == [True, False, True]
    found = task.scans[1].load_organ()
    assert found is not None
    np.testing.assert_array_equal(found, organ.T > 0)


def test_masks_are_no_concern_of_normal_scans(tmp_path: Path) -> None:
    make_task(tmp_path / "disc", masks=True)
    (task,) = read_labelled(tmp_path, normal_only=True)
    assert (task.count(abnormal=False), task.count(abnormal=True), task.has_masks) == (7, 0, False)


def test_dicom_series_in_folders_and_single_files_in_one(tmp_path: Path) -> None:
    for case in range(4):
        datasets = slice_datasets(origin=(case, 0, 0))
        write_series(tmp_path / "mr" / ("normal" if case else "abnormal") / f"case{case}", datasets)
    for number in range(4):
        dataset = image_dataset(picture(number), series_uid=f"2.25.{number + 7}")
        dataset.PatientID = f"patient {number}"
        save(dataset, tmp_path / "xray" / ("normal" if number else "abnormal") / f"{number}.dcm")
    heads, radiographs = read_labelled(tmp_path)
    assert [scan.folder for scan in heads.scans] == ["normal"] * 3 + ["abnormal"]
    assert heads.is_volumes
    assert [scan.number for scan in radiographs.scans] == [1, 2, 3, 1]
    assert len({scan.patient for scan in radiographs.scans}) == 4
    assert not radiographs.is_volumes


def test_everything_wrong_is_in_one_list(tmp_path: Path) -> None:
    make_task(tmp_path / "a", n_normal=9, n_abnormal=5, masks=True)
    (tmp_path / "a/normal/003.png").write_bytes((tmp_path / "a/normal/003.png").read_bytes()[:200])
    Image.fromarray(np.full((9, 9), 7, np.uint8)).save(tmp_path / "a/normal/005.png")
    write(tmp_path / "a/abnormal/extra", np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8))
    Image.fromarray(np.eye(30, dtype=np.uint8) * 255).save(tmp_path / "a/masks/001.png")
    Image.fromarray(np.zeros((48, 48), np.uint8)).save(tmp_path / "a/masks/002.png")
    Image.fromarray(lesion_of(0)).save(tmp_path / "a/masks/Smith_John.png")
    make_task(tmp_path / "b", n_normal=4)
    (tmp_path / "c" / "normal").mkdir(parents=True)
    (tmp_path / "c" / "normal" / "notes.txt").write_text("no image\n")
    error = refusal(tmp_path, shots=4)
    assert error.code is Code.DATA_UNUSABLE
    for part in (
        "Task a: 1 in normal (number 4): ",
        "Task a: 1 in normal (number 6): ",
        "Task a: 1 in abnormal (number 2): its mask has another size.",
        "Task a: 1 in abnormal (number 3): its mask outlines nothing.",
        "Task a: 1 in abnormal (number 6): colour images, others are grey images.",
        "Task a: 1 in masks have the name of no scan in abnormal.",
        "Task b: 5 normal scans are needed to draw 4 references, there are 4.",
        "Task c: there is no folder abnormal.",
        "Task c: 5 normal scans are needed to draw 4 references, there are 0.",
    ):
        assert part in error.detail
    assert error.detail.count("Task c: ") == 2
    assert str(tmp_path) not in str(error)
    assert "Smith" not in str(error)
    (task,) = read_labelled(tmp_path, shots=4, leave_out=True)
    assert (task.name, task.n_unusable, len(task.references), task.count(abnormal=True)) == ("a", 5, 7, 3)


def test_tasks_that_do_not_exist(tmp_path: Path) -> None:
    make_task(tmp_path / "disc")
    with pytest.raises(TrainingError) as caught:
        read_labelled(tmp_path, ["liver"])
    assert caught.value.code is Code.DATA_LAYOUT
    assert "liver" in caught.value.detail
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path / "empty").code is Code.DATA_LAYOUT
    with pytest.raises(StudyError) as nothing:
        read_labelled(tmp_path / "nowhere")
    assert nothing.value.code is Code.PATH_MISSING


def test_each_cause_is_one_sentence(tmp_path: Path) -> None:
    make_task(tmp_path / "a")
    (tmp_path / "notes" / "old").mkdir(parents=True)
    make_task(tmp_path / "without abnormal", masks=True)
    shutil.rmtree(tmp_path / "without abnormal" / "abnormal")
    make_published_task(tmp_path / "without good")
    shutil.rmtree(tmp_path / "without good" / "train")
    write(tmp_path / "without good" / "train")
    make_published_task(tmp_path / "nothing to examine")
    for file in (tmp_path / "nothing to examine" / "test" / "good").iterdir():
        file.unlink()
    assert refusal(tmp_path).detail == (
        "Task notes: it has none of the folders of a task "
        "(normal, abnormal; or train/good, test/good, test/bad). "
        "Task nothing to examine: there is no normal scan to examine. "
        "Task without abnormal: there is no folder abnormal. "
        "Task without good: there is no folder train/good. "
        "With --leave-out, evaluate goes on without it."
    )
    assert [task.name for task in read_labelled(tmp_path, leave_out=True)] == ["a"]
