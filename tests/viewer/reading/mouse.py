"""A mouse on the canvas of a real window."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QWidget

NONE = Qt.KeyboardModifier.NoModifier
Point = tuple[float, float]


def point_at(canvas: QWidget, place: Point, button: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
    at = QPointF(*place)
    event = QMouseEvent(QEvent.Type.MouseMove, at, at, Qt.MouseButton.NoButton, button, NONE)
    QApplication.sendEvent(canvas, event)


def drag(qtbot, canvas: QWidget, button: Qt.MouseButton, first: Point, last: Point) -> None:
    """Holds a button down from one place to another; napari hears of moves every 5 ms at most."""
    trace(qtbot, canvas, button, [first, last], parts=2)


def trace(qtbot, canvas: QWidget, button: Qt.MouseButton, places: Sequence[Point], parts: int = 4) -> None:
    """Holds a button down along lines through places, each in so many moves."""
    point_at(canvas, places[0])
    qtbot.wait(20)
    qtbot.mousePress(canvas, button, NONE, QPoint(*map(round, places[0])))
    for first, last in pairwise(places):
        for part in range(1, parts + 1):
            share = part / parts
            moved = tuple(a + share * (b - a) for a, b in zip(first, last, strict=True))
            point_at(canvas, moved, button)
            qtbot.wait(20)
    qtbot.mouseRelease(canvas, button, NONE, QPoint(*map(round, places[-1])))
    qtbot.wait(20)
