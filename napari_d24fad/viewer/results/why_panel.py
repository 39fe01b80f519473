"""Why a slice was scored as it was: what counted, what looks most like it, the two distances apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.viewer.pictures import map_picture
from napari_d24fad.viewer.results.example_panel import ExamplePanel
from napari_d24fad.viewer.results.picture_frame import PictureFrame
from napari_d24fad.viewer.results.place_panel import PlacePanel
from napari_d24fad.viewer.results.weight_bars import WeightBars, scale_legend

if TYPE_CHECKING:
    from napari_d24fad.detection.explain import Explanation
    from napari_d24fad.session.places import PlaceExplanation

_FOUR_ABREAST_PX = 380
_SPACING = 4


class WhyPanel(QWidget):
    """Shows one `Explanation` or `PlaceExplanation` at a time.

    Attributes:
        place: The part that shows a place of a map that was made place by place.
        example: The part that shows which abnormal example the scan is like.
    """

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
            "query": PictureFrame("What is examined, in the window the network sees"),
            "reference": PictureFrame("The reference that counted most; click to find it in the list"),
            "SSD": PictureFrame("SSD: student features here against those of the weighted references"),
            "TSD": PictureFrame(
                "TSD: what the student network could not re-create of the teacher's features"
            ),
        }
        self._most_similar, self._abreast = -1, 0
        self.place, self.example = PlacePanel(), ExamplePanel()
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
            self.place.hide()

    def show_place(self, explanation: PlaceExplanation, number: int, references: int) -> None:
        """Shows a place explained, of a map that was made place by place.

        Args:
            explanation: What to show.
            number: Of the slice, from 1 as the viewer numbers it.
            references: How many there are.
        """
        self.show_message("")
        self.place.show_place(explanation, number, references)
        self.place.show()

    def show_explanation(
        self, explanation: Explanation, number: int | None, reference_number: int | None, told: str = ""
    ) -> None:
        """Shows an explanation.

        Args:
            explanation: What to show.
            number: Of the slice, from 1 as the viewer numbers it; None for a single image.
            reference_number: Of the most similar reference slice, numbered alike in its own scan.
            told: What must be known of the comparison, above the rest.
        """
        reference = explanation.reference_index
        self._most_similar = reference
        self.show_message("")
        self._message.setText(told)
        self._message.setVisible(bool(told))
        self._bars.show_weights(explanation.weights, reference)
        self._legend.setText(f"Reference weights: {scale_legend(explanation.weights.shape[1])} features")
        query, pixel = explanation.query_image, explanation.query_pixel
        self._frames["query"].show_picture(query, pixel, _slice_text(number) or "This image")
        self._frames["reference"].show_picture(
            explanation.reference_image,
            explanation.reference_pixel,
            ", ".join(filter(None, (f"Ref. {reference + 1}", _slice_text(reference_number).lower()))),
        )
        for name in ("SSD", "TSD"):  # which a teacher alone has not
            self._frames[name].setVisible(name in explanation.maps)
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
        layout.addWidget(self.example)
        layout.addWidget(self._evidence)
        layout.addWidget(self.place)

    def _fit(self) -> None:
        abreast = 4 if self.width() >= _FOUR_ABREAST_PX else 2
        side = max(1, (self.width() - (abreast - 1) * _SPACING) // abreast)
        for at, frame in enumerate(self._frames.values()):
            if abreast != self._abreast:  # every change lays everything out again
                self._grid.addWidget(frame, at // abreast, at % abreast)
            frame.fit(side)
        self._abreast = abreast


def _slice_text(number: int | None) -> str:
    return "" if number is None else f"Slice {number}"
