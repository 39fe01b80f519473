"""A mouse on the canvas of a real window."""

from __future__ import annotations

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
    point_at(canvas, first)
    qtbot.wait(20)
    qtbot.mousePress(canvas, button, NONE, QPoint(*map(round, first)))
    for part in (0.5, 1.0):
        point_at(canvas, tuple(a + part * (b - a) for a, b in zip(first, last, strict=True)), button)
        qtbot.wait(20)
    qtbot.mouseRelease(canvas, button, NONE, QPoint(*map(round, last)))
    qtbot.wait(20)
