from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import Kind
from napari_d24fad.benchmark.heads import measure_heads
from napari_d24fad.benchmark.phantom import write_head
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.studies.study import open_study


def test_the_phantom_is_taken_for_a_head(tmp_path: Path) -> None:
    write_head(tmp_path / "head.nii", 1, 20, matrix=96)
    scan = open_study(tmp_path / "head.nii").series[0].load()
    found = find_anatomy(scan)
    assert found.kind is Kind.INTRACRANIAL
    assert not found.problems
    np.testing.assert_allclose(found.volume_ml, 4 / 3 * np.pi * 6.8 * 6.6 * 8.4, rtol=0.15)


def test_all_steps_are_taken() -> None:
    measured = measure_heads(16, silent, CancelToken(), matrix=64, few=12)
    names = [step.name for step in measured.steps]
    assert len(names) == len(set(names)) == 9
    assert all(step.seconds > 0 for step in measured.steps)
    assert {step.asked for step in measured.steps} == {None, 1.0, 5.0, 15.0}
