"""How much each reference counted for a slice, as bars per feature scale."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_d24fad.detection.result import FloatArray

SCALE_COLOURS = tuple(QColor(name) for name in ("#4cc9f0", "#fca50a", "#8f7ad6"))
"""Fine to coarse; told apart on dark and light themes and without colour vision."""

_SCALES = ("fine", "middle", "coarse")


def scale_legend(count: int) -> str:
    """Names the colours as rich text; a scoring that keeps fewer scales leaves out the finest."""
    shown = list(zip(SCALE_COLOURS, _SCALES, strict=True))[-count:]
    return " ".join(f'<span style="color: {colour.name()}">■</span> {name}' for colour, name in shown)


_TOP, _BOTTOM, _GAP = 14, 16, 0.25


class WeightBars(QWidget):
    """One group of bars per reference; a click or the arrow keys ask for a reference."""

    reference_requested = Signal(int)
    """The reference, counted from 0."""

    def __init__(self) -> None:
        super().__init__()
        self._weights: FloatArray = np.empty((0, 0), np.float32)
        self._chosen = -1
        self.setMinimumHeight(72)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Weight of each reference for this slice")

    def show_weights(self, weights: FloatArray, chosen: int) -> None:
        """Shows weights.

        Args:
            weights: ``(references, scales)``; each scale sums to 1.
            chosen: The reference that holds the most similar slice, from 0.
        """
        self._weights, self._chosen = weights, chosen
        self.setAccessibleDescription(
            "; ".join(self.describe(reference) for reference in range(len(weights)))
        )
        self.update()

    def describe(self, reference: int) -> str:
        """Says the weights of a reference in words."""
        own = self._weights[reference]
        named = zip(_SCALES[-len(own) :], own, strict=True)
        shares = ", ".join(f"{100 * share:.0f} % ({name})" for name, share in named)
        return f"Reference {reference + 1}: {shares}"

    def group(self, reference: int) -> QRectF:
        """Returns where the bars of a reference are drawn."""
        width = self.width() / max(len(self._weights), 1)
        return QRectF(reference * width, _TOP, width, self.height() - _TOP - _BOTTOM)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Qt: the size it would like."""
        return QSize(240, 72)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: a click asks for the reference under it."""
        if event.button() == Qt.MouseButton.LeftButton and len(self._weights):
            self.reference_requested.emit(self._reference_at(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: hovering tells the weights."""
        if len(self._weights):
            text = self.describe(self._reference_at(event))
            QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: the arrow keys ask for the reference beside."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(event.key())
        if step is None or not len(self._weights):
            super().keyPressEvent(event)
            return
        self._chosen = int(np.clip(self._chosen + step, 0, len(self._weights) - 1))
        self.update()
        self.reference_requested.emit(self._chosen)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: draws the bars, the number below each group, and what the height of all means."""
        painter = QPainter(self)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        highest = float(self._weights.max(initial=0.0)) or 1.0
        font = painter.font()
        font.setPointSizeF(max(font.pointSizeF() - 1, 7.0))
        for reference, shares in enumerate(self._weights):
            group = self.group(reference)
            width = group.width() * (1 - _GAP) / len(shares)
            left = group.left() + group.width() * _GAP / 2
            for scale, share in enumerate(shares):
                height = group.height() * float(share) / highest
                bar = QRectF(left + scale * width, group.bottom() - height, max(width - 1, 1), height)
                painter.fillRect(bar, SCALE_COLOURS[scale - len(shares)])
            font.setBold(reference == self._chosen)
            painter.setFont(font)
            painter.setPen(text)
            below = QRectF(group.left(), self.height() - _BOTTOM, group.width(), _BOTTOM)
            painter.drawText(below, int(Qt.AlignmentFlag.AlignCenter), str(reference + 1))
        if len(self._weights):
            font.setBold(False)
            painter.setFont(font)
            painter.setPen(QPen(text, 1))
            base = self.height() - _BOTTOM
            painter.drawLine(0, base, self.width(), base)
            line = QRectF(0, 0, self.width(), _TOP)
            painter.drawText(line, int(Qt.AlignmentFlag.AlignLeft), f"highest bar {100 * highest:.0f} %")
        if self.hasFocus():
            painter.setPen(QPen(SCALE_COLOURS[0], 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _reference_at(self, event: QMouseEvent) -> int:
        at = int(event.position().x() / max(self.width(), 1) * len(self._weights))
        return min(max(at, 0), len(self._weights) - 1)
