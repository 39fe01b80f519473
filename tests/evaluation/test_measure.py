from __future__ import annotations

import tempfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding import store
from napari_d24fad.detection.encoding.encoded import MAX_LEVELS
from napari_d24fad.detection.examples.learned import Examples
from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.evaluation.draws import draw_references
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.measure import EncodedTask, Plan, measure_task
from napari_d24fad.evaluation.reading import read_labelled
from napari_d24fad.export.nifti import nifti_affine
from napari_d24fad.progress import CancelToken, silent
from tests.detection.subjects import head, random_model
from tests.evaluation.images import make_task


def write_task(folder: Path, slices: int) -> LabelledTask:
    for label, numbers in (("normal", range(4)), ("abnormal", range(4, 6))):
        (folder / "head" / label).mkdir(parents=True)
        for number in numbers:
            scan = head(number, lesion=label == "abnormal", grid=(slices, 40, 36))
            image = nibabel.Nifti1Image(np.asarray(scan.voxels).T, nifti_affine(scan.affine))
            image.header.set_xyzt_units("mm")
            nibabel.save(image, folder / "head" / label / f"{number}.nii.gz")
    (task,) = read_labelled(folder, shots=2)
    return task


def test_volumes_of_many_slices_score_as_the_detector_scores_them(tmp_path: Path) -> None:
    """Of references, and of them alone, at most 64 slices are used."""
    task = write_task(tmp_path, 96)
    detector = Detector(random_model(), "cpu")
    (measured,) = measure_task(
        EncodedTask(detector, task, silent, CancelToken()), Plan(shots=(2,), draws=1, seed=0)
    )
    chosen = [index for index in task.references if index not in measured.queries]
    references = detector.encode([task.scans[index].load() for index in chosen])
    assert {len(each.indices) for each in references.encoded} == {MAX_LEVELS}
    expected = [detector.detect(task.scans[index].load(), references).score for index in measured.queries]
    assert measured.scores["model"] == pytest.approx(expected, rel=1e-4)


def test_abnormal_examples_score_as_the_detector_scores_them(tmp_path: Path) -> None:
    make_task(tmp_path / "hand", n_abnormal=5, masks=True)
    (task,) = read_labelled(tmp_path, shots=3)
    detector = Detector(random_model(), "cpu")
    encoded = EncodedTask(detector, task, silent, CancelToken())
    plan = Plan(shots=(2, 3), draws=1, abnormal_shots=(0, 1, 2))
    few, measured = measure_task(encoded, plan)
    assert not any("abnormal" in method for method in few.scores)
    (draw,) = draw_references(task, plan.shots, 1, 0, examples=2)
    assert not {*draw.examples} & {*draw.queries}
    assert measured.queries == draw.queries
    assert measured.abnormal.count(True) == 3
    references = encoded.references(draw.references, CancelToken())
    learned = Examples(references, [encoded.scans[index] for index in draw.examples])
    found = [detector.examine(encoded.scans[index], references, examples=learned) for index in draw.queries]
    assert measured.scores["model + 2 abnormal"] == tuple(each.score for each in found)
    assert measured.scores["linear probe + 2 abnormal"] == tuple(each.examples.as_a_whole for each in found)
    assert set(measured.pixels) == {"model", "model + 1 abnormal", "model + 2 abnormal"}
    assert measured.pixels["model"] != measured.pixels["model + 2 abnormal"]
    with pytest.raises(TrainingError) as caught:
        draw_references(task, (3,), 1, 0, examples=5)
    assert caught.value.code is Code.DATA_LAYOUT


def test_features_of_a_task_go_to_disk_past_the_budget_and_score_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = write_task(tmp_path / "data", 6)
    detector, plan = Detector(random_model(), "cpu"), Plan(shots=(2,), draws=1)
    expected = measure_task(EncodedTask(detector, task, silent, CancelToken()), plan)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(store, "SHELF_BUDGET", 0)
    encoded = EncodedTask(detector, task, silent, CancelToken())
    (folder,) = temporary.iterdir()  # one for all scans, of features and of patches
    on_disk = (folder / "features").stat().st_size
    assert on_disk > sum(feature.nbytes for scan in encoded.scans for feature in scan.encoded.features)
    assert measure_task(encoded, plan) == expected
