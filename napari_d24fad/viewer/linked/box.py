"""What the linked views stand in, below the canvas."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QSize, Signal
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_d24fad.viewer.linked.slice_view import SliceView

_HEIGHT_PX = 340
_COUNT = 3


class ViewsBox(QWidget):
    """Three views side by side.

    Attributes:
        views: From left to right.
    """

    put_away = Signal()
    """The user closed its dock."""

    def __init__(self) -> None:
        super().__init__()
        self.views = tuple(SliceView() for _ in range(_COUNT))
        line = QHBoxLayout(self)
        line.setContentsMargins(2, 2, 2, 2)
        line.setSpacing(2)
        for view in self.views:
            line.addWidget(view, 1)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Qt: how high it would like to be; on a low screen it is lower, and the window stays on it."""
        return QSize(super().sizeHint().width(), _HEIGHT_PX)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: napari takes a widget out of the dock that is closed."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.put_away.emit()
