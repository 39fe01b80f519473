"""The thumbnail of a card: the wheel leafs through the slices of the scan."""

from __future__ import annotations

import time

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QLabel

from napari_d24fad.viewer.pictures import Picture, pixmap

THUMBNAIL_PX = 72
HOVER_SECONDS = 0.3
"""The pointer must rest so long on a thumbnail: a wheel that scrolls the list goes on scrolling it."""
_NOTCH = 120


class Thumbnail(QLabel):
    """A small picture of one slice.

    Attributes:
        is_volume: Whether there are slices to leaf through.
    """

    leaf_requested = Signal(int)
    """So many slices on, or back where negative."""

    def __init__(self) -> None:
        super().__init__("…")
        self.is_volume = False
        self._since, self._turned = time.monotonic(), 0
        self.setObjectName("d24fadThumbnail")
        self.setFixedSize(THUMBNAIL_PX, THUMBNAIL_PX)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._place = QLabel(self)
        self._place.setObjectName("d24fadPlace")
        self._place.hide()

    @property
    def place(self) -> str:
        """Which slice is shown, such as ``"12/30"``; empty for the middle one of before."""
        return "" if self._place.isHidden() else str(self._place.text())

    def show_picture(self, pixels: Picture) -> None:
        """Shows a picture, ``(rows, columns)`` or ``(rows, columns, 3)``."""
        self.setPixmap(pixmap(pixels, QSize(THUMBNAIL_PX, THUMBNAIL_PX)))

    def show_place(self, text: str) -> None:
        """Says which slice is shown; empty to say nothing."""
        self._place.setText(text)
        self._place.setVisible(bool(text))
        self._place.adjustSize()
        self._place.move(0, self.height() - self._place.height())

    def enterEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: the pointer came, or the list was scrolled below it."""
        self._since = time.monotonic()
        super().enterEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: leafs if the pointer rests here; else the list scrolls."""
        now = time.monotonic()
        if not self.is_volume or not self.isEnabled() or now - self._since < HOVER_SECONDS:
            self._since = now
            event.ignore()
            return
        self._turned -= event.angleDelta().y()
        steps = int(self._turned / _NOTCH)
        self._turned -= steps * _NOTCH
        if steps:
            self.leaf_requested.emit(steps)
        event.accept()
