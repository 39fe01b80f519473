"""The reader says where the lesion of an abnormal example is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.layers import Shapes
from qtpy.QtCore import Qt

from napari_d24fad.session.request import Drawn
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.example_row import ExampleRow, LesionStep
from napari_d24fad.viewer.gallery.roles import Role
from tests.evaluation.images import lesion_of, picture, write
from tests.viewer.study_in_dock import click

pytestmark = [pytest.mark.one_qt, pytest.mark.usefixtures("kept_features")]

NORMAL, QUERY, EXAMPLE = range(3), 40, 21


def row_of(dock: DetectionDock, number: int) -> ExampleRow:
    return dock.gallery.card(dock.gallery.series[number]).example


def outline(dock: DetectionDock) -> Shapes:
    (layer,) = (each for each in dock.viewer.layers if isinstance(each, Shapes))
    return layer


def test_an_outline_on_an_example_is_learned_from(qtbot, dock: DetectionDock, settle, tmp_path: Path) -> None:
    write(tmp_path, *(picture(seed) for seed in NORMAL))
    write(tmp_path / "known", picture(QUERY, lesion=True), picture(EXAMPLE, lesion=True))
    files = sorted(tmp_path.glob("*.png")) + sorted(tmp_path.glob("known/*.png"))
    dock.filling.add_study([open_study(path).series[0] for path in files])
    settle(dock)
    *normal, query, example = dock.gallery.series
    for each in normal:
        dock.gallery.set_role(each, Role.REFERENCE)
    dock.gallery.set_role(query, Role.QUERY)
    dock.gallery.set_role(example, Role.ABNORMAL)
    dock.run()
    settle(dock)
    plain, row = dock.examination, row_of(dock, -1)
    assert plain is not None

    click(qtbot, row.button(LesionStep.SHOW))
    settle(dock)
    assert dock.layers.shown is not None
    np.testing.assert_array_equal(np.squeeze(dock.layers.shown.layer.data), picture(EXAMPLE, lesion=True))
    assert dock.maps.result_layer is None
    assert "Abnormal example 1" in dock.viewer.canvas.overlays.text.text
    assert not dock.results.isEnabled()
    assert dock.run_panel.region.choice.count() == 0  # not drawn to examine only there
    assert not row.button(LesionStep.SLICE).isVisible()
    click(qtbot, row.button(LesionStep.OUTLINE))
    assert "Nothing is outlined" in dock.run_panel.message
    click(qtbot, row.button(LesionStep.BACK))
    assert dock.examination is plain
    assert dock.maps.result_layer is not None
    assert "Abnormal example 1" not in dock.viewer.canvas.overlays.text.text
    assert dock.results.isEnabled()
    assert not dock.results.is_outdated

    click(qtbot, row.button(LesionStep.SHOW))
    settle(dock)
    rows, columns = np.nonzero(lesion_of(EXAMPLE))
    low, high = (rows.min(), columns.min()), (rows.max(), columns.max())
    layer = outline(dock)
    corners = [[low[0], low[1]], [low[0], high[1]], [high[0], high[1]], [high[0], low[1]]]
    layer.add_polygons([[0] * (layer.ndim - 2) + each for each in corners])
    click(qtbot, row.button(LesionStep.OUTLINE))
    settle(dock)
    found = dock.examination
    assert found is not None
    assert found is not plain
    (marked,) = found.request.abnormal
    assert isinstance(marked.lesion, Drawn)
    np.testing.assert_array_equal(marked.lesion.read()[0], lesion_of(EXAMPLE))
    assert dock.layers.shown.series is query
    assert not any(isinstance(each, Shapes) for each in dock.viewer.layers)
    assert row.button(LesionStep.SHOW).text() == "Lesion: outlined"
    evidence = found.anomaly.examples
    assert evidence is not None
    assert evidence.example_place is not None
    assert lesion_of(EXAMPLE)[evidence.example_place.centre[1:]]

    row.kind_box.setFocus()
    qtbot.keyClicks(row.kind_box, "mass")
    qtbot.keyClick(row.kind_box, Qt.Key.Key_Return)
    settle(dock)
    assert "most like example 1 (mass)" in dock.results.examples_text
    assert dock.gallery.abnormal == (example,)  # letters are no commands there
    click(qtbot, row.button(LesionStep.SHOW))
    settle(dock)
    click(qtbot, row.button(LesionStep.FORGET))
    settle(dock)
    assert dock.examination is not None
    assert dock.examination.request.abnormal[0].lesion is None
    assert not dock.results.is_outdated


def test_the_slice_that_is_shown_is_the_lesion(qtbot, dock, settle, study_folder: Path) -> None:
    dock.filling.add_study([open_study(study_folder / f"reference-{number}").series[0] for number in (1, 2)])
    settle(dock)
    example = dock.gallery.series[1]
    dock.gallery.set_role(example, Role.ABNORMAL)
    row = row_of(dock, 1)

    def show() -> None:
        click(qtbot, row.button(LesionStep.SHOW))
        settle(dock)
        assert dock.layers.shown.series is example
        assert row.button(LesionStep.SLICE).isVisible()

    def has_ended() -> bool:
        shapes = any(isinstance(each, Shapes) for each in dock.viewer.layers)
        return not shapes and not row.button(LesionStep.SLICE).isVisible()

    show()
    qtbot.keyClick(dock, Qt.Key.Key_Escape)
    assert has_ended()
    assert dock.gallery.examples[0].lesion is None
    show()
    dock.layers.go_to_slice(2)
    click(qtbot, row.button(LesionStep.SLICE))
    assert has_ended()
    assert dock.gallery.examples[0].lesion == (int(dock.layers.shown.slice_order[2]),)
    assert row.button(LesionStep.SHOW).text() == "Lesion: slice 3"
    show()
    dock.gallery.set_role(example, Role.NONE)
    assert has_ended()
    assert dock.gallery.examples == ()
