"""Scans that were measured stay as long as they may be wanted, and no longer."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_d24fad.anatomy.find import drawn_region
from napari_d24fad.detection.atlas.measured import MeasuredScan
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.detection.plans.drawn import drawn_plan
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session import measured_scans
from napari_d24fad.session.feature_cache import FeatureCache
from napari_d24fad.session.kept_atlases import KeptAtlases
from napari_d24fad.session.measured_scans import MeasuredScans
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study

PLAN = drawn_plan(lambda scan, _: drawn_region(scan, np.ones(scan.grid, bool)), "everything")


@pytest.fixture
def series(tmp_path: Path) -> list[Series]:
    found = []
    for number in range(8):
        voxels = np.random.default_rng(number).normal(100, 9, (12, 12, 6)).astype(np.float32)
        nib.save(nib.Nifti1Image(voxels, np.diag([2.0, 2.0, 8.0, 1.0])), tmp_path / f"{number}.nii.gz")
        found.append(open_study(tmp_path / f"{number}.nii.gz").series[0])
    return found


def test_scans_of_runs_that_failed_do_not_pile_up(
    series: list[Series], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans, cancel = MeasuredScans(KeptAtlases(FeatureCache(tmp_path / "cache", 0))), CancelToken()
    measured = []
    measure = measured_scans.measure_scan

    def counting(*args) -> MeasuredScan:
        measured.append(1)
        return measure(*args)

    monkeypatch.setattr(measured_scans, "measure_scan", counting)

    def ask(one: Series) -> MeasuredScan:
        return scans.reference(one, None, PLAN, Direction.BRIGHTER, silent, cancel)

    scans.want(series[:2], cancel)
    first = [ask(one) for one in series[:2]]
    for one in series[2:]:  # of runs that ended before there was a result
        scans.want([*series[:2], one], cancel)
        ask(one)
    assert len(scans._kept) == 2 + 1 + 4
    assert len(measured) == 8
    assert [ask(one) for one in series[:2]] == first
    scans.want(series[7:], cancel)
    assert len(scans._kept) == 1 + 4
    ask(series[2])  # it was let go long ago
    assert len(measured) == 9
