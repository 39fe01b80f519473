from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor

from napari_d24fad.viewer.results.score_plot import CURSOR, CURVE, ScorePlot


@pytest.fixture
def plot(qtbot) -> ScorePlot:
    widget = ScorePlot()
    qtbot.addWidget(widget)
    widget.resize(260, 96)
    widget.show()
    scores = np.linspace(0.1, 1.0, 20, dtype=np.float32)
    scores[5:8] = np.nan
    widget.set_scores(scores, 0.5)
    return widget


def columns_of(plot: ScorePlot, colour: QColor) -> set[int]:
    """The pixel columns in which a colour is drawn, nearly pure."""
    image = plot.grab().toImage()
    wanted = np.array([colour.red(), colour.green(), colour.blue()])
    found = set()
    for x in range(image.width()):
        for y in range(image.height()):
            pixel = image.pixelColor(x, y)
            if np.abs(wanted - [pixel.red(), pixel.green(), pixel.blue()]).max() < 25:
                found.add(x)
    return found


@pytest.mark.parametrize("index", [0, 9, 19])
def test_click_asks_for_the_slice_under_it(qtbot, plot: ScorePlot, index: int) -> None:
    with qtbot.waitSignal(plot.slice_requested) as asked:
        qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(plot.x_of(index)), 40))
    assert asked.args == [index]


@pytest.mark.parametrize("x", [-5, 0, 259, 300])
def test_click_beside_the_curve_asks_for_an_existing_slice(qtbot, plot: ScorePlot, x: int) -> None:
    with qtbot.waitSignal(plot.slice_requested) as asked:
        qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(x, 40))
    assert asked.args[0] in (0, 19)


def test_keys_step_and_stop_at_the_ends(qtbot, plot: ScorePlot) -> None:
    asked: list[int] = []
    plot.slice_requested.connect(asked.append)
    plot.set_slice(18)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_PageUp, Qt.Key.Key_Home, Qt.Key.Key_End):
        qtbot.keyClick(plot, key)
    assert asked == [19, 17, 19, 0, 19]


def test_cursor_is_drawn_where_the_slice_is(plot: ScorePlot) -> None:
    for index in (2, 15):
        plot.set_slice(index)
        drawn = columns_of(plot, CURSOR)
        assert drawn, "the cursor is visible"
        assert all(abs(x - plot.x_of(index)) < 3 for x in drawn)


def test_curve_has_a_gap_where_nothing_was_examined(plot: ScorePlot) -> None:
    drawn = columns_of(plot, CURVE)
    gap = range(round(plot.x_of(4)) + 3, round(plot.x_of(8)) - 3)
    assert drawn
    assert drawn.isdisjoint(gap)


def test_tells_screen_readers_where_it_is(plot: ScorePlot) -> None:
    plot.set_slice(19)
    assert plot.accessibleDescription() == "Slice 20 of 20: score 1"
    plot.set_slice(6)
    assert plot.accessibleDescription() == "Slice 7 of 20: not examined"


def test_draws_without_scores(qtbot, plot: ScorePlot) -> None:
    plot.set_scores(np.full(4, np.nan, np.float32), None)
    assert columns_of(plot, CURVE) == set()
