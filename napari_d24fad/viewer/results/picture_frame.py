"""A picture with words below it, in the panel that explains a result."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_d24fad.viewer.canvas.maps import MARK_COLOUR
from napari_d24fad.viewer.pictures import Picture, pixmap

_RING_SHARE = 0.06
"""Radius of the ring around a place, as a share of the side of the picture."""


class PictureFrame(QWidget):
    """A picture with a caption; it can be clicked.

    Args:
        tip: What it shows.

    Attributes:
        picture: The picture.
        caption: What stands below it.
    """

    clicked = Signal()
    """The picture was clicked."""

    def __init__(self, tip: str) -> None:
        super().__init__()
        self.picture = QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setStyleSheet("background: black; padding: 0px;")
        self.caption = QLabel()
        self.caption.setWordWrap(True)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        # The pictures follow the width of the dock and do not keep it wide.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for label in (self.picture, self.caption):
            label.setMinimumWidth(1)
        self.setToolTip(tip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.picture)
        layout.addWidget(self.caption)
        self._shown: tuple[Picture, tuple[float, float]] | None = None
        self._mark: tuple[float, float] | None = None
        self._box: tuple[float, float, float, float] | None = None

    def show_picture(
        self,
        picture: Picture,
        pixel: tuple[float, float],
        caption: str,
        mark: tuple[float, float] | None = None,
        box: tuple[float, float, float, float] | None = None,
    ) -> None:
        """Shows a picture.

        Args:
            picture: ``(rows, columns)`` or ``(rows, columns, 3)``.
            pixel: Row and column spacing, in any common unit.
            caption: What stands below it.
            mark: Row and column of a place to ring; None for none.
            box: First row, first column, last row and last column of a place to frame; None for none.
        """
        self._shown, self._mark, self._box = (picture, pixel), mark, box
        self.caption.setText(caption)
        self.picture.setAccessibleName(caption)

    def fit(self, side: int) -> None:
        """Takes as much room, in pixels of the screen."""
        if self.picture.height() != side:
            self.picture.setFixedHeight(side)
        if self._shown is not None:
            self.picture.setPixmap(self._drawn(side))

    def _drawn(self, side: int) -> QPixmap:
        assert self._shown is not None
        picture, pixel = self._shown
        drawn = pixmap(picture, QSize(side, side), pixel)
        if self._mark is None and self._box is None:
            return drawn
        tall, wide = drawn.height() / picture.shape[0], drawn.width() / picture.shape[1]
        painter = QPainter(drawn)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(MARK_COLOUR), 1.5))
        if self._mark is not None:
            row, column = self._mark
            place = QPointF((column + 0.5) * wide, (row + 0.5) * tall)
            painter.drawEllipse(place, side * _RING_SHARE, side * _RING_SHARE)
        if self._box is not None:
            top, left, bottom, right = self._box
            corners = QPointF(left * wide, top * tall), QPointF((right + 1) * wide, (bottom + 1) * tall)
            painter.drawRect(QRectF(*corners))
        painter.end()
        return drawn

    def mousePressEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Qt: any click."""
        self.clicked.emit()
