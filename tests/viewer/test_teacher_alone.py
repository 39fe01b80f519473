"""A published teacher chosen in the window: no student, and nothing offered that needs one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from napari_d24fad.network.teacher_weights import import_weights
from napari_d24fad.network.teachers.build import build_teacher
from napari_d24fad.viewer.canvas.map_view import MapView
from napari_d24fad.viewer.dock import DetectionDock
from tests.network.teachers.conftest import lively
from tests.network.teachers.small import make_teachers_small
from tests.viewer.study_in_dock import click, open_and_mark


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_teachers_small(monkeypatch)
    path = tmp_path / "model.safetensors"
    state = lively(build_teacher("rad_dino")).state_dict()
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    import_weights(path, "rad_dino", accepted=True)


def test_it_is_offered_examines_and_shows_no_published_distances(
    qtbot, installed: None, dock: DetectionDock, settle, study_folder: Path
) -> None:
    models = dock.run_panel.settings.model_box
    assert [models.itemText(row) for row in range(models.count())] == ["compact", "rad_dino"]
    models.setCurrentText("rad_dino")
    open_and_mark(qtbot, dock, settle, study_folder)
    click(qtbot, dock.run_panel.run_button)
    settle(dock)
    assert dock.run_panel.message == ""
    result = dock._viewer.layers[-1]
    assert np.isfinite(result.data).any()
    choice = dock.results.view_choice
    views = [choice.view_box.itemData(row) for row in range(choice.view_box.count())]
    assert MapView.SCORE in views
    assert not {MapView.SSD, MapView.TSD} & set(views)
    dock.results.why_section.set_unfolded(True)
    why = dock.results.why
    qtbot.waitUntil(lambda: why.picture("query").isVisible() and not why.is_busy, timeout=60_000)
    assert [why.picture(name).isVisible() for name in ("reference", "SSD", "TSD")] == [True, False, False]
