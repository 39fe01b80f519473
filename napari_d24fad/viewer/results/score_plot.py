"""The score of every slice as a curve: shows where the viewer is, and takes it elsewhere."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_d24fad.detection.result import FloatArray

CURVE = QColor("#fca50a")
CURSOR = QColor("#4cc9f0")
_LEFT, _RIGHT, _TOP, _BOTTOM = 6, 6, 6, 16
_STEPS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_PageDown: -10,
    Qt.Key.Key_PageUp: 10,
}


class ScorePlot(QWidget):
    """Per-slice anomaly scores, in the order of the slice slider.

    A click, a drag or the arrow keys ask for another slice.
    """

    slice_requested = Signal(int)
    """The slice to show, counted from 0 in the order of the slider."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scores: FloatArray = np.empty(0, np.float32)
        self._normal: float | None = None
        self._current = 0
        self.setMinimumHeight(84)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Anomaly score of each slice")

    def set_scores(self, scores: FloatArray, normal: float | None) -> None:
        """Shows new scores.

        Args:
            scores: ``(slices,)`` in the order of the slider; NaN where not examined.
            normal: The highest slice score of a normal reference, drawn as a dashed line;
                None if there is none.
        """
        self._scores = scores
        self._normal = normal
        self._current = 0
        self.update()

    def set_slice(self, index: int) -> None:
        """Moves the cursor without asking for a slice."""
        self._current = index
        self.setAccessibleDescription(self._describe(index))
        self.update()

    def x_of(self, index: int) -> float:
        """Returns the horizontal pixel position of a slice."""
        width = self.width() - _LEFT - _RIGHT
        return float(_LEFT + width * (index + 0.5) / max(self._scores.size, 1))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Qt: the size it would like."""
        return QSize(240, 96)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: a click asks for the slice under it."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._request_at(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: a drag asks for slices on its way; hovering tells the score."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._request_at(event)
        elif self._scores.size:
            QToolTip.showText(event.globalPosition().toPoint(), self._describe(self._index_at(event)), self)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: the arrow keys step, Home and End go to the ends."""
        last = self._scores.size - 1
        if event.key() == Qt.Key.Key_Home:
            self._request(0)
        elif event.key() == Qt.Key.Key_End:
            self._request(last)
        elif event.key() in _STEPS:
            self._request(self._current + _STEPS[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: draws the curve, the level of normal slices and the cursor."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        faint = QColor(text)
        faint.setAlpha(40)
        painter.fillRect(self._frame(), faint)
        if np.isfinite(self._scores).any():
            self._draw_curve(painter)
            if self._normal is not None:
                self._draw_normal_level(painter, text)
            self._draw_cursor(painter)
            self._draw_ends(painter, text)
        if self.hasFocus():
            painter.setPen(QPen(CURSOR, 1))
            painter.drawRect(self._frame())
        painter.end()

    def _frame(self) -> QRectF:
        return QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT, self.height() - _TOP - _BOTTOM)

    def _y_of(self, score: float) -> float:
        values = self._scores[np.isfinite(self._scores)]
        high = float(max(values.max(), self._normal or values.max()))
        low = min(0.0, float(values.min()))
        frame = self._frame()
        return float(frame.bottom() - frame.height() * 0.94 * (score - low) / max(high - low, 1e-12))

    def _draw_curve(self, painter: QPainter) -> None:
        fill = QColor(CURVE)
        fill.setAlpha(70)
        base = self._frame().bottom()
        for run in _examined_runs(self._scores):
            points = [QPointF(self.x_of(i), self._y_of(float(self._scores[i]))) for i in run]
            if len(points) == 1:  # one slice alone is still visible as a bar
                points = [points[0] - QPointF(2, 0), points[0] + QPointF(2, 0)]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            ends = [QPointF(points[-1].x(), base), QPointF(points[0].x(), base)]
            painter.drawPolygon(QPolygonF([*points, *ends]))
            painter.setPen(QPen(CURVE, 1.6))
            painter.drawPolyline(QPolygonF(points))

    def _draw_normal_level(self, painter: QPainter, colour: QColor) -> None:
        frame, y = self._frame(), self._y_of(self._normal or 0.0)
        painter.setPen(QPen(colour, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))

    def _draw_cursor(self, painter: QPainter) -> None:
        frame, x = self._frame(), self.x_of(self._current)
        painter.setPen(QPen(CURSOR, 2))
        painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))

    def _draw_ends(self, painter: QPainter, colour: QColor) -> None:
        font = painter.font()
        font.setPointSizeF(max(font.pointSizeF() - 1, 7.0))
        painter.setFont(font)
        painter.setPen(colour)
        line = QRectF(_LEFT, self.height() - _BOTTOM, self.width() - _LEFT - _RIGHT, _BOTTOM)
        painter.drawText(line, int(Qt.AlignmentFlag.AlignLeft), "slice 1")
        painter.drawText(line, int(Qt.AlignmentFlag.AlignRight), str(self._scores.size))
        if self._normal is not None:
            painter.drawText(line, int(Qt.AlignmentFlag.AlignHCenter), "- - highest normal slice")

    def _describe(self, index: int) -> str:
        if not 0 <= index < self._scores.size:
            return ""
        score = float(self._scores[index])
        told = f"score {score:.3g}" if np.isfinite(score) else "not examined"
        return f"Slice {index + 1} of {self._scores.size}: {told}"

    def _index_at(self, event: QMouseEvent) -> int:
        width = max(self.width() - _LEFT - _RIGHT, 1)
        index = int((event.position().x() - _LEFT) / width * self._scores.size)
        return min(max(index, 0), max(self._scores.size - 1, 0))

    def _request_at(self, event: QMouseEvent) -> None:
        self._request(self._index_at(event))

    def _request(self, index: int) -> None:
        if self._scores.size:
            self.slice_requested.emit(min(max(index, 0), self._scores.size - 1))


def _examined_runs(scores: FloatArray) -> list[list[int]]:
    """Splits the slices where some in between were not examined."""
    examined = np.flatnonzero(np.isfinite(scores))
    breaks = np.flatnonzero(np.diff(examined) > 1) + 1
    return [[int(i) for i in run] for run in np.split(examined, breaks) if run.size]
