"""Why a slice was scored as it was: what counted, what looks most like it, the two distances apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.viewer.pictures import Picture, map_picture, pixmap
from napari_d24fad.viewer.results.weight_bars import WeightBars, scale_legend

if TYPE_CHECKING:
    from napari_d24fad.detection.explain import Explanation

_FOUR_ABREAST_PX = 380
_SPACING = 4


class WhyPanel(QWidget):
    """Shows one `Explanation` at a time."""

    reference_requested = Signal(int)
    """The reference to look at, counted from 0."""
    cancel_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._message.setAccessibleName("About the explanation")
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        self._cancel = QPushButton("Cancel")
        self._cancel.setToolTip("Stop the explanation (Escape)")
        self._cancel.clicked.connect(self.cancel_requested)
        self._bars = WeightBars()
        self._bars.reference_requested.connect(self.reference_requested)
        self._frames = {
            "query": _Frame("The slice that is examined, in the window the network sees"),
            "reference": _Frame("The reference slice that counted most; click to find it in the list"),
            "SSD": _Frame("SSD: student features of this slice against those of the weighted references"),
            "TSD": _Frame("TSD: what the student network could not re-create of the teacher's features"),
        }
        self._most_similar, self._abreast = -1, 0
        self._frames["reference"].clicked.connect(lambda: self.reference_requested.emit(self._most_similar))
        self._arrange()
        self.show_message("")

    @property
    def message(self) -> str:
        """What is said in place of an explanation."""
        return str(self._message.text())

    @property
    def bars(self) -> WeightBars:
        """The weights of the references."""
        return self._bars

    @property
    def cancel_button(self) -> QPushButton:
        """The button that stops the computation."""
        return self._cancel

    @property
    def is_busy(self) -> bool:
        """Whether it shows that an explanation is computed."""
        return not self._cancel.isHidden()

    def picture(self, name: str) -> QLabel:
        """Returns the picture ``"query"``, ``"reference"``, ``"SSD"`` or ``"TSD"``."""
        return self._frames[name].picture

    def caption(self, name: str) -> str:
        """Returns what stands below a picture."""
        return str(self._frames[name].caption.text())

    def show_message(self, text: str, *, busy: bool = False) -> None:
        """Shows a sentence; with ``busy``, also that something runs and can be stopped.

        While busy the last explanation stays, so that nothing jumps; otherwise it goes away.
        """
        self._message.setText(text)
        self._message.setVisible(bool(text))
        self._bar.setVisible(busy)
        self._cancel.setVisible(busy)
        if not busy:
            self._evidence.hide()

    def show_explanation(self, explanation: Explanation, number: int, reference_number: int) -> None:
        """Shows an explanation.

        Args:
            explanation: What to show.
            number: Of the slice, from 1 as the viewer numbers it.
            reference_number: Of the most similar reference slice, numbered alike in its own scan.
        """
        reference = explanation.reference_index
        self._most_similar = reference
        self.show_message("")
        self._bars.show_weights(explanation.weights, reference)
        self._legend.setText(f"Reference weights: {scale_legend(explanation.weights.shape[1])} features")
        query, pixel = explanation.query_image, explanation.query_pixel
        self._frames["query"].show_picture(query, pixel, f"Slice {number}")
        self._frames["reference"].show_picture(
            explanation.reference_image,
            explanation.reference_pixel,
            f"Ref. {reference + 1}, slice {reference_number}",
        )
        for name, values in explanation.maps.items():
            highest = float(np.nanmax(values))
            self._frames[name].show_picture(map_picture(values, query), pixel, f"{name} to {highest:.2g}")
        self._evidence.show()
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: the pictures fill the width."""
        super().resizeEvent(event)
        self._fit()

    def _arrange(self) -> None:
        working = QHBoxLayout()
        working.addWidget(self._bar, 1)
        working.addWidget(self._cancel)
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._legend.setWordWrap(True)
        self._evidence = QWidget()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_SPACING)
        column = QVBoxLayout(self._evidence)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(self._grid)
        column.addWidget(self._legend)
        column.addWidget(self._bars)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._message)
        layout.addLayout(working)
        layout.addWidget(self._evidence)

    def _fit(self) -> None:
        abreast = 4 if self.width() >= _FOUR_ABREAST_PX else 2
        side = max(1, (self.width() - (abreast - 1) * _SPACING) // abreast)
        for at, frame in enumerate(self._frames.values()):
            if abreast != self._abreast:  # every change lays everything out again
                self._grid.addWidget(frame, at // abreast, at % abreast)
            frame.fit(side)
        self._abreast = abreast


class _Frame(QWidget):
    """A picture with a caption; it can be clicked."""

    clicked = Signal()

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

    def show_picture(self, picture: Picture, pixel: tuple[float, float], caption: str) -> None:
        self._shown = (picture, pixel)
        self.caption.setText(caption)
        self.picture.setAccessibleName(caption)

    def fit(self, side: int) -> None:
        if self.picture.height() != side:
            self.picture.setFixedHeight(side)
        if self._shown is not None:
            self.picture.setPixmap(pixmap(self._shown[0], QSize(side, side), self._shown[1]))

    def mousePressEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        self.clicked.emit()
