"""A reader accepts, rejects and notes regions, in the real widget."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from weakref import ref

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_d24fad.findings.finding import Verdict
from napari_d24fad.viewer.canvas.screenshot import canvas_picture
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.results.verdicts import Verdicts
from tests.heads import anomaly_of, head
from tests.session.saved.cases import named_case
from tests.viewer.results.examining import examine
from tests.viewer.study_in_dock import by_place, click

pytestmark = pytest.mark.usefixtures("kept_features")

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def read(qtbot, dock: DetectionDock, settle: Callable[[DetectionDock], None], study_folder: Path):
    """The widget after it examined the head with the lesion, with its findings measured."""
    examine(dock, settle, study_folder)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    choose(qtbot, dock, 0)
    return dock


def choose(qtbot, dock: DetectionDock, row: int) -> None:
    table = dock.results.regions
    place = table.visualItemRect(table.item(row, 2)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def coloured(dock: DetectionDock) -> int:
    pixels = canvas_picture(dock._viewer).astype(int)
    return int((np.ptp(pixels, axis=-1) > 40).sum())


def first(dock: DetectionDock):
    return dock.result_view.verdicts.findings.finding(1)


def write_and_accept(qtbot, dock: DetectionDock) -> None:
    table, bar = dock.results.regions, dock.results.verdict_bar
    dock._viewer.window.activate()
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_A)
    assert table.item(0, 0).text() == "✓1"
    qtbot.keyClicks(bar.note_line, "marx")  # letters that are keys of the dock and the table
    qtbot.keyClick(bar.note_line, Qt.Key.Key_Return)
    assert (first(dock).note, first(dock).verdict) == ("marx", Verdict.ACCEPTED)
    assert bar.note_line.cursorPosition() == 0, "the end of a long note was seen"
    assert table.item(0, 0).text() == "✓1✎"
    assert not dock.jobs.is_busy, "R in a note runs nothing"
    click(qtbot, bar.undo_button)
    assert (bar.note_line.text(), first(dock).verdict) == ("", Verdict.ACCEPTED)
    click(qtbot, bar.accept_button)
    assert first(dock).verdict is Verdict.UNDECIDED, "the same again takes it back"
    click(qtbot, bar.undo_button)
    click(qtbot, bar.undo_button)
    assert not bar.undo_button.isEnabled()
    assert table.item(0, 0).text() == "1"


def test_a_region_is_noted_accepted_and_rejected(qtbot, read: DetectionDock, settle) -> None:
    dock, table, bar = read, read.results.regions, read.results.verdict_bar
    write_and_accept(qtbot, dock)
    before = dock.examination
    values, mask = before.anomaly.values.copy(), first(dock).mask
    qtbot.keyClick(table, Qt.Key.Key_X)
    others = [each for each in dock.result_view.verdicts.findings if each.number != 1]
    for row in range(1, len(others) + 1):
        choose(qtbot, dock, row)
        click(qtbot, bar.reject_button)
    choose(qtbot, dock, 0)
    dock.maps.unmark()
    assert coloured(dock) == 0, "the picture that is saved shows no rejected region"
    assert (table.item(0, 0).text(), table.item(0, 0).font().strikeOut()) == ("✗1", True)
    assert bar.reject_button.isChecked()
    assert f"{len(others) + 1} rejected" in bar.summary
    np.testing.assert_array_equal(before.anomaly.values, values)  # the result is as it was

    # Taken back and done again, by the keys that napari would have.
    for _ in range(len(others) + 1):
        qtbot.keyClick(table, Qt.Key.Key_Z, CONTROL)
    assert coloured(dock) > 0
    assert table.item(0, 0).text() == "1"
    qtbot.keyClick(table, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert first(dock).verdict is Verdict.REJECTED

    # The same region of other references is the same finding, and is measured anew.
    qtbot.mouseClick(
        dock.gallery.card(by_place(dock.gallery)["reference-3"]).normal_box, Qt.MouseButton.LeftButton
    )
    qtbot.waitUntil(lambda: dock.live.is_busy)
    settle(dock)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    assert dock.examination is not before
    after = first(dock)
    assert after.verdict is Verdict.REJECTED
    assert after.region.p_value == pytest.approx(1 / 3), "of two references"
    held = dock.layers.shown.in_layer_order(dock.examination.anomaly.values)
    shown = dock.maps.result_layer.data
    peak = dock.layers.shown.layer_index(after.region.peak_index)
    assert np.isnan(shown[tuple(peak)])
    assert np.isfinite(held[tuple(peak)])

    # At a lower level its whole region is left clear.
    level = dock.results.threshold
    level.value_box.setValue(dock.examination.anomaly.level_one_region * 0.8)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    place = tuple(mask.places.mean(axis=0).round().astype(int))
    assert np.isnan(shown_at(dock, place))
    numbers = [table.item(row, 0).text() for row in range(table.rowCount())]
    assert "✗1" in numbers


def shown_at(dock: DetectionDock, place: tuple[int, int, int]) -> float:
    return float(dock.maps.result_layer.data[tuple(dock.layers.shown.layer_index(place))])


def test_examinations_of_other_scans_are_not_kept() -> None:
    """Features of a scan stay in memory as long as its examination does."""
    verdicts, gone = Verdicts(), []
    for seed in range(2):
        case = named_case(head(seed), anomaly_of(head(seed)))
        verdicts.take(case.examination, case.findings)
        verdicts.wait(case.examination)
        gone.append(ref(case.examination))
    del case
    gc.collect()
    assert [each() for each in gone] == [None, None]
