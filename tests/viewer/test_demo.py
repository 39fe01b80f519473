from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from qtpy import PYQT5

from napari_d24fad.export.nifti import nifti_affine
from napari_d24fad.export.report import fingerprint
from napari_d24fad.sample.study import SampleStudy
from napari_d24fad.settings import FEATURES_LIMIT_VARIABLE
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.demo import DemoResult, compare_with_lesion
from tests.heads import GRID, LESION, anomaly_of, head

DONE_VARIABLE = "D24FAD_DEMO"
"""Names a folder where ``d24fad demo`` was run already, as `make test` does with the wheel."""


@pytest.mark.skipif(
    PYQT5, reason="a minute that shows nothing new: parts of the window are tested under both"
)
def test_demonstration_finds_the_lesion_and_leaves_its_results(tmp_path: Path) -> None:
    folder = Path(os.environ.get(DONE_VARIABLE) or tmp_path)
    if folder == tmp_path:
        command = [sys.executable, "-m", "napari_d24fad", "demo", "--close", "--out", str(folder)]
        # Features are kept, as they are where users run it: without them heads are aligned more than once.
        settings = {name: value for name, value in os.environ.items() if name != FEATURES_LIMIT_VARIABLE}
        done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "(found)" in done.stdout
    written = {file.name for file in folder.iterdir() if file.is_file()}
    assert written == {"anomaly.nii.gz", "overlay.png", "report.json", "canvas.png", "window.png"}
    study = folder / "sample-study"
    query = open_study(study / "query").series[0].load()
    (result,) = json.loads((folder / "report.json").read_text())["results"]
    assert result["query"]["fingerprint"] == fingerprint(query)
    stored = nibabel.load(folder / "anomaly.nii.gz")
    np.testing.assert_allclose(stored.affine, nifti_affine(query.affine), atol=1e-3)
    lesion = nibabel.load(study / "lesion.nii.gz").get_fdata().T > 0
    assert lesion[tuple(result["regions"][0]["peak_index"])]
    assert result["score"] > 3 * max(each["score"] for each in result["references"])


@pytest.fixture
def sample(tmp_path: Path) -> SampleStudy:
    """The known lesion of the made-up head, on the head's grid but stored as NIfTI stores it."""
    scan = head(0, lesion=True)
    mask = np.zeros(GRID, np.uint8)
    mask[LESION] = 1
    nibabel.save(nibabel.Nifti1Image(mask.T, nifti_affine(scan.affine)), tmp_path / "lesion.nii.gz")
    return SampleStudy(tmp_path, tmp_path, (), tmp_path / "lesion.nii.gz", (0.0, 0.0, 0.0))


def test_a_perfect_map_is_found_perfect(sample: SampleStudy) -> None:
    scan = head(0, lesion=True)
    found = compare_with_lesion(scan, anomaly_of(scan), sample)
    assert found.dice == pytest.approx(1.0)
    assert found.peak_in_lesion
    assert found.lesion_slices == (GRID[0] - 5, GRID[0] - 3)
    assert found.suspicious_slice == GRID[0] - 5
    assert "(found)" in str(found)


def test_a_map_that_points_elsewhere_is_called_so(sample: SampleStudy) -> None:
    scan = head(0, lesion=True)
    right = anomaly_of(scan)
    values = np.array(right.values)
    values[0, :10, :10] = 9.0
    scores = np.array(right.slice_scores)
    scores[0] = 9.0
    found = compare_with_lesion(scan, replace(right, values=values, slice_scores=scores), sample)
    assert found == DemoResult(
        score=right.score,
        reference_scores=found.reference_scores,
        suspicious_slice=GRID[0],
        lesion_slices=(GRID[0] - 5, GRID[0] - 3),
        peak_in_lesion=False,
        dice=pytest.approx(2 * 300 / (300 + 400)),
    )
    assert "(missed)" in str(found)
    assert "outside the lesion" in str(found)
