"""A head that is known to be abnormal, marked after a run: the map of another head follows at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.example_row import LesionStep
from napari_d24fad.viewer.gallery.roles import Role
from tests.cli.conftest import write_nifti
from tests.detection.subjects import head
from tests.viewer.study_in_dock import click

pytestmark = pytest.mark.one_qt

GRID = (6, 40, 36)
NORMAL, MARKED, QUERY = range(3), 20, 40


def lesion(seed: int) -> np.ndarray:
    return head(seed, True, GRID).voxels != head(seed, False, GRID).voxels


def test_marking_a_head_and_the_slice_of_its_lesion_changes_the_map_live(
    qtbot, kept_features: None, dock: DetectionDock, settle, tmp_path: Path
) -> None:
    for seed in (*NORMAL, MARKED, QUERY):
        write_nifti(tmp_path / f"{seed:02}.nii.gz", head(seed, seed not in NORMAL, GRID).voxels)
    dock.filling.add_study([open_study(path).series[0] for path in sorted(tmp_path.glob("*.nii.gz"))])
    settle(dock)
    *normal, marked, query = dock.gallery.series
    for each in normal:
        dock.gallery.set_role(each, Role.REFERENCE)
    dock.gallery.set_role(query, Role.QUERY)
    dock.run()
    settle(dock)
    plain = dock.examination
    assert plain is not None
    assert plain.anomaly.scoring == "matched"

    card = dock.gallery.card(marked)
    card.abnormal_box.setFocus()
    qtbot.keyClick(card.abnormal_box, Qt.Key.Key_A)
    settle(dock)
    alone = dock.examination
    assert alone is not plain
    assert card.role is Role.ABNORMAL
    assert "1 abnormal example" in dock.results.examples_text
    at, known = lesion(QUERY), np.isfinite(plain.anomaly.values)
    more = alone.anomaly.values - plain.anomaly.values
    assert more[known & at].mean() > 3 * more[known & ~at].mean()
    np.testing.assert_array_equal(np.squeeze(dock.maps.result_layer.data), alone.anomaly.values)

    row = card.example
    click(qtbot, row.button(LesionStep.SHOW))
    settle(dock)
    shown = int(np.flatnonzero(lesion(MARKED).any(axis=(1, 2))).mean())
    dock.viewer.dims.set_current_step(0, shown)
    click(qtbot, row.button(LesionStep.SLICE))
    settle(dock)
    told = dock.examination
    assert told is not None
    assert told.request.abnormal[0].lesion == (shown,)
    assert row.button(LesionStep.SHOW).text().startswith("Lesion: slice")
    assert told.anomaly.examples.example_place.centre[0] == shown
    assert not dock.results.is_outdated
