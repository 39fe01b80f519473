"""Draws one picture with letters and a crosshair; tells where the user points and how far the wheel turns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QFont,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QTextOption,
    QWheelEvent,
)
from qtpy.QtWidgets import QSizePolicy, QWidget

Picture = npt.NDArray[np.uint8]
Point = tuple[float, float]

_CROSS, _CURSOR = QColor("#4cc9f0"), QColor("#ffd60a")
_GROUND = QColor(0, 0, 0, 170)
_LEAST_PX = 120
_CURSOR_PX = 6


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What a view shows.

    Attributes:
        picture: ``(rows, columns, 3)``.
        step: Millimetres from row to row and from column to column.
        title: Written above.
        letters: What lies beyond the left, right, top and bottom edge; None for none.
        cross: Row and column of the crosshair; None for none.
        zoom: How many times larger than it would fit.
        centre: Row and column in the middle of the view, where it does not fit.
    """

    picture: Picture = field(repr=False)
    step: tuple[float, float]
    title: str
    letters: tuple[str, str, str, str] | None = None
    cross: Point | None = None
    zoom: float = 1.0
    centre: Point | None = None


def _centred() -> QTextOption:
    option = QTextOption(Qt.AlignmentFlag.AlignCenter)
    option.setWrapMode(QTextOption.WrapMode.WordWrap)
    return option


class SliceView(QWidget):
    """One picture, as large as there is room, in its true proportions."""

    pointed = Signal(float, float)
    """Row and column that the user clicked or dragged to."""
    hovered = Signal(float, float)
    """Row and column below the mouse."""
    turned = Signal(int)
    """Steps that the wheel turned; 1 is away from the user."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn: Drawn | None = None
        self._cursor: Point | None = None
        self._angle = 0
        self.setMinimumSize(_LEAST_PX, _LEAST_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    @property
    def drawn(self) -> Drawn | None:
        """What it shows; None for nothing."""
        return self._drawn

    @property
    def cursor_at(self) -> Point | None:
        """Row and column of the small cross that follows the mouse in another view."""
        return self._cursor

    def show_drawn(self, drawn: Drawn | None, said: str = "") -> None:
        """Shows a picture, or says why there is none."""
        self._drawn = drawn
        self.setAccessibleName(drawn.title if drawn is not None else said)
        self.setToolTip(said)
        self.update()

    def show_cursor(self, place: Point | None) -> None:
        """Marks the place that the mouse points at in another view; None for none."""
        if place != self._cursor:
            self._cursor = place
            self.update()

    def to_screen(self, point: Point) -> QPointF:
        """Returns where row and column lie in this widget."""
        scale, left, top = self._placing()
        assert self._drawn is not None
        rows, columns = self._drawn.step
        return QPointF(left + (point[1] + 0.5) * columns * scale, top + (point[0] + 0.5) * rows * scale)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: draws it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("black"))
        drawn = self._drawn
        if drawn is None:
            painter.setPen(QColor("#b5b5b5"))
            painter.drawText(QRectF(self.rect()), self.toolTip(), _centred())
            painter.end()
            return
        scale, left, top = self._placing()
        rows, columns = drawn.picture.shape[:2]
        image = QImage(
            drawn.picture.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888
        )  # kept alive by `drawn`
        target = QRectF(left, top, columns * drawn.step[1] * scale, rows * drawn.step[0] * scale)
        painter.drawImage(target, image)
        if drawn.cross is not None:
            at = self.to_screen(drawn.cross)
            painter.setPen(QPen(_CROSS, 1))
            painter.drawLine(QPointF(0, at.y()), QPointF(self.width(), at.y()))
            painter.drawLine(QPointF(at.x(), 0), QPointF(at.x(), self.height()))
        if self._cursor is not None:
            at = self.to_screen(self._cursor)
            painter.setPen(QPen(_CURSOR, 2))
            painter.drawLine(at - QPointF(_CURSOR_PX, 0), at + QPointF(_CURSOR_PX, 0))
            painter.drawLine(at - QPointF(0, _CURSOR_PX), at + QPointF(0, _CURSOR_PX))
        self._write(painter, drawn)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: the left button moves the crosshair."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._tell(self.pointed, event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: so it does while it is held down."""
        self._tell(self.hovered, event)
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._tell(self.pointed, event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: leafs."""
        self._angle += event.angleDelta().y()
        steps = int(self._angle / 120)
        self._angle -= 120 * steps
        if steps:
            self.turned.emit(steps)
        event.accept()

    def _tell(self, signal: Signal, event: QMouseEvent) -> None:
        drawn = self._drawn
        if drawn is None:
            return
        scale, left, top = self._placing()
        at = event.position() if hasattr(event, "position") else event.localPos()
        row = (at.y() - top) / scale / drawn.step[0] - 0.5
        column = (at.x() - left) / scale / drawn.step[1] - 0.5
        rows, columns = drawn.picture.shape[:2]
        if -0.5 <= row <= rows - 0.5 and -0.5 <= column <= columns - 0.5:
            signal.emit(row, column)

    def _placing(self) -> tuple[float, float, float]:
        """Returns pixels for a mm, and where the left upper corner of the picture lies."""
        drawn = self._drawn
        if drawn is None:
            return 1.0, 0.0, 0.0
        rows, columns = drawn.picture.shape[:2]
        high, wide = rows * drawn.step[0], columns * drawn.step[1]
        fits = min(self.width() / wide, self.height() / high)
        scale = fits * drawn.zoom
        row, column = ((rows - 1) / 2, (columns - 1) / 2) if drawn.centre is None else drawn.centre
        left = self.width() / 2 - (column + 0.5) * drawn.step[1] * scale
        top = self.height() / 2 - (row + 0.5) * drawn.step[0] * scale
        return scale, left, top

    def _write(self, painter: QPainter, drawn: Drawn) -> None:
        sides = Qt.AlignmentFlag
        beside = QRectF(self._inside)  # the letter above, which long titles would cover
        beside.setRight(self.width() / 2 - painter.fontMetrics().height())
        self._say(painter, drawn.title, sides.AlignTop | sides.AlignLeft, beside)
        if drawn.letters is None:
            return
        font = QFont(painter.font())
        font.setPointSizeF(font.pointSizeF() * 1.3)
        painter.setFont(font)
        middle = (sides.AlignVCenter | sides.AlignLeft, sides.AlignVCenter | sides.AlignRight)
        ends = (sides.AlignTop | sides.AlignHCenter, sides.AlignBottom | sides.AlignHCenter)
        for letter, at in zip(drawn.letters, (*middle, *ends), strict=True):
            self._say(painter, letter, at)

    @property
    def _inside(self) -> QRectF:
        return QRectF(self.rect()).adjusted(6, 4, -6, -4)

    def _say(self, painter: QPainter, text: str, at: Qt.AlignmentFlag, where: QRectF | None = None) -> None:
        """Writes on a dark ground: bone and fat are white."""
        inside, wrap = self._inside if where is None else where, Qt.TextFlag.TextWordWrap
        flags = sum(int(each.value) if hasattr(each, "value") else int(each) for each in (at, wrap))
        painter.fillRect(painter.boundingRect(inside, flags, text).adjusted(-3, -1, 3, 1), _GROUND)
        painter.setPen(QColor("white"))
        painter.drawText(inside, flags, text)
