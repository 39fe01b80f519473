"""A strip with the value of a place among those of the references."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_d24fad.viewer.canvas.maps import MARK_COLOUR

if TYPE_CHECKING:
    from napari_d24fad.detection.atlas.why import ValueAtPlace

_HEIGHT = 54
_LINE = 20.0  # from the upper edge
_MARGIN = 12.0
_ROOM = 1.15
"""The scale goes on beyond the outermost value by this factor."""


class ValueStrip(QWidget):
    """Ticks for the references, a band for their mean and spread, a triangle for the scan."""

    def __init__(self) -> None:
        super().__init__()
        self._value: ValueAtPlace | None = None
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("The value here among those of the references")

    def show_value(self, value: ValueAtPlace) -> None:
        """Shows a value."""
        self._value = value
        self.setToolTip(value_text(value))
        self.setAccessibleDescription(value_text(value))
        self.update()

    @property
    def words(self) -> str:
        """What stands below the line; short, as the dock is narrow."""
        value = self._value
        if value is None:
            return ""
        return f"references ± {value.spread:.3g}    ▼ this scan {value.query:+.3g}"

    def x_of(self, value: float) -> float:
        """Returns where a value, from the references' mean, is drawn."""
        half = self.width() / 2 - _MARGIN
        return float(self.width() / 2 + half * value / self._reach)

    @property
    def _reach(self) -> float:
        if self._value is None:
            return 1.0
        values = np.array([self._value.query, self._value.spread, *self._value.references])
        finite = np.abs(values[np.isfinite(values)])
        return max(float(finite.max(initial=0.0)) * _ROOM, 1e-6)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Qt: the size it would like."""
        return QSize(240, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: draws it."""
        value = self._value
        if value is None or not np.isfinite(value.query):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = self.palette().color(QPalette.ColorRole.WindowText)
        quiet = QColor(ink)
        quiet.setAlphaF(0.25)
        left, right = self.x_of(-value.spread), self.x_of(value.spread)
        painter.fillRect(QRectF(left, _LINE - 8, right - left, 16), quiet)
        painter.setPen(QPen(ink, 1))
        painter.drawLine(QPointF(_MARGIN, _LINE), QPointF(self.width() - _MARGIN, _LINE))
        painter.drawLine(QPointF(self.x_of(0), _LINE - 10), QPointF(self.x_of(0), _LINE + 10))
        painter.setPen(QPen(ink, 2))
        for other in value.references:
            if np.isfinite(other):
                painter.drawLine(QPointF(self.x_of(other), _LINE - 6), QPointF(self.x_of(other), _LINE + 6))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(MARK_COLOUR))
        at = self.x_of(value.query)
        painter.drawPolygon([QPointF(at, _LINE), QPointF(at - 6, _LINE - 14), QPointF(at + 6, _LINE - 14)])
        font = painter.font()
        font.setPointSizeF(max(font.pointSizeF() - 1, 7.0))
        painter.setFont(font)
        painter.setPen(ink)
        below = QRectF(0, _LINE + 12, self.width(), _HEIGHT - _LINE - 12)
        painter.drawText(below, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop), self.words)
        painter.end()


def value_text(value: ValueAtPlace) -> str:
    """Says a value and those of the references in words."""
    if not np.isfinite(value.query):
        return "The value of this place is not compared: it is too near to bone or to the border."
    unit = f" {value.unit}" if value.unit else ""
    side = value.sides[int(value.query < 0)]
    known = [each for each in value.references if np.isfinite(each)]
    among = f"{min(known):+.3g} to {max(known):+.3g}{unit}" if known else "not known at this very place"
    missing = len(value.references) - len(known)
    more = f" ({missing} of {len(value.references)} show nothing here)" if missing and known else ""
    return (
        f"Here {abs(value.query):.3g}{unit} {side} than the references on average. "
        f"Theirs: {among} from their mean{more}, spread {value.spread:.3g}{unit}."
    )
