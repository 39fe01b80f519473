from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.benchmark.phantom import trunk, write_dicom, write_nifti
from napari_d24fad.benchmark.volume import measure_volume
from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.scoring.matched import MatchedScoring
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.study import open_study
from tests.detection.subjects import random_model


def test_phantom_is_the_same_volume_in_both_formats(tmp_path: Path) -> None:
    write_nifti(tmp_path / "nifti" / "volume.nii", 1, 6, matrix=64)
    write_dicom(tmp_path / "dicom", 1, 6, matrix=64)
    scans = [open_study(tmp_path / name).series[0].load() for name in ("nifti", "dicom")]
    expected = np.stack(list(trunk(1, 6, 64)))
    assert expected.min() < -900
    assert expected.max() > 100
    assert scans[1].modality == "CT"
    for scan in scans:
        np.testing.assert_array_equal(np.sort(scan.voxels, axis=None), np.sort(expected, axis=None))


def test_all_steps_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    matched: list[int] = []
    search = MatchedScoring.match

    def counting(self, query, supports):
        matched.append(len(query[0]))
        return search(self, query, supports)

    monkeypatch.setattr(MatchedScoring, "match", counting)
    detector = Detector(random_model(), "cpu")
    measured = measure_volume(detector, 6, silent, CancelToken(), matrix=64)
    names = [step.name for step in measured.steps]
    assert len(names) == len(set(names)) == 16
    assert all(step.seconds > 0 for step in measured.steps)
    assert measured.memory_mib >= 0
    # References and scan once each, the first part once more: live changes match nothing.
    volumes = [Scan(np.stack(list(trunk(n, 6, 64))), np.eye(4)) for n in range(9)]
    query, *references = (len(detector.prepare(volume).examined) for volume in volumes)
    assert sum(matched) == sum(references) + query + (query - query // 2)
