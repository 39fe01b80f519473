from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import MAX_LEVELS
from napari_d24fad.evaluation.measure import EncodedTask, Plan, measure_task
from napari_d24fad.evaluation.reading import read_labelled
from napari_d24fad.export.nifti import nifti_affine
from napari_d24fad.progress import CancelToken, silent
from tests.detection.subjects import head, random_model


def test_volumes_of_many_slices_score_as_the_detector_scores_them(tmp_path: Path) -> None:
    """Of references, and of them alone, at most 64 slices are used."""
    for label, numbers in (("normal", range(4)), ("abnormal", range(4, 6))):
        (tmp_path / "head" / label).mkdir(parents=True)
        for number in numbers:
            scan = head(number, lesion=label == "abnormal", grid=(96, 40, 36))
            image = nibabel.Nifti1Image(np.asarray(scan.voxels).T, nifti_affine(scan.affine))
            image.header.set_xyzt_units("mm")
            nibabel.save(image, tmp_path / "head" / label / f"{number}.nii.gz")
    (task,) = read_labelled(tmp_path, shots=2)
    detector = Detector(random_model(), "cpu")
    (measured,) = measure_task(
        EncodedTask(detector, task, silent, CancelToken()), Plan(shots=(2,), draws=1, seed=0)
    )
    chosen = [index for index in task.references if index not in measured.queries]
    references = detector.encode([task.scans[index].load() for index in chosen])
    assert {len(each.indices) for each in references.encoded} == {MAX_LEVELS}
    expected = [detector.detect(task.scans[index].load(), references).score for index in measured.queries]
    assert measured.scores["model"] == pytest.approx(expected, rel=1e-4)
