from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from qtpy import PYQT5

from napari_d24fad.export.nifti import nifti_affine
from napari_d24fad.sample.study import SampleStudy
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.demo import DemoResult, compare_with_lesion
from tests.heads import GRID, LESION, anomaly_of, head

DEMO = """
import sys
from pathlib import Path
from napari_d24fad.viewer.demo import run_demo

found = run_demo(Path(sys.argv[1]), show=False)
assert found.score > max(found.reference_scores), found
assert found.peak_in_lesion, found
"""


@pytest.mark.skipif(
    PYQT5, reason="a minute that shows nothing new: parts of the window are tested under both"
)
def test_demonstration_finds_the_lesion_and_leaves_its_results(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DEMO, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "(found)" in done.stdout
    written = {file.name for file in tmp_path.iterdir() if file.is_file()}
    assert written == {"anomaly.nii.gz", "overlay.png", "report.json", "canvas.png", "window.png"}
    query = open_study(tmp_path / "sample-study" / "query").series[0].load()
    stored = nibabel.load(tmp_path / "anomaly.nii.gz")
    np.testing.assert_allclose(stored.affine, nifti_affine(query.affine), atol=1e-3)


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
