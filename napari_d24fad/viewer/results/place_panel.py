"""Why a place is coloured: the scan beside an aligned reference, and its value among the references'."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_d24fad.viewer.results.picture_frame import PictureFrame
from napari_d24fad.viewer.results.value_strip import ValueStrip, value_text
from napari_d24fad.viewer.wheel import scroll_past

if TYPE_CHECKING:
    from napari_d24fad.session.places import PlaceExplanation

_SPACING = 4
_PLACED = {
    "box": "Placed by the box of its anatomy, not registered",
    "upright box": "Laid straight and placed by the box of the skull, not registered",
    "affine": "Registered: affine",
    "affine and deformation": "Registered: affine, then deformed",
}
_GOOD, _FAIR = 0.9, 0.8
"""Shares of the anatomy that lie in that of the reference."""


class PlacePanel(QWidget):
    """Shows one `PlaceExplanation` at a time."""

    other_reference_requested = Signal(int)
    """The reference to show beside the scan, counted from 0."""
    flicker_requested = Signal(bool)
    """Whether scan and reference are to be shown in turns on the canvas."""

    def __init__(self) -> None:
        super().__init__()
        self._explanation: PlaceExplanation | None = None
        self.query = PictureFrame("The slice that is examined; the ring is the place that is explained")
        self.reference = PictureFrame("The reference at the same place of the anatomy; the ring is the same")
        self.choice = QComboBox()
        self.choice.setAccessibleName("The reference beside the scan")
        self.choice.setToolTip("Which reference is shown beside the scan")
        scroll_past(self.choice)
        self.flicker = QPushButton("Flicker")
        self.flicker.setCheckable(True)
        self.flicker.setToolTip("Show scan and aligned reference in turns on the canvas (F)")
        self.strip = ValueStrip()
        self._value, self._alignment = QLabel(), QLabel()
        for label, name in ((self._value, "The value here"), (self._alignment, "How well they are aligned")):
            label.setWordWrap(True)
            label.setAccessibleName(name)
        self.choice.activated.connect(self.other_reference_requested)
        self.flicker.clicked.connect(self.flicker_requested)
        self._arrange()
        self.hide()

    @property
    def explanation(self) -> PlaceExplanation | None:
        """What is shown."""
        return self._explanation

    @property
    def told(self) -> str:
        """What is said of the value and of the alignment."""
        return f"{self._value.text()}\n{self._alignment.text()}"

    def show_place(self, explanation: PlaceExplanation, number: int, references: int) -> None:
        """Shows an explanation.

        Args:
            explanation: What to show.
            number: Of the slice, from 1 as the viewer numbers it.
            references: How many there are.
        """
        self._explanation = explanation
        with QSignalBlocker(self.choice):
            self.choice.clear()
            self.choice.addItems([f"Reference {each + 1}" for each in range(references)])
            self.choice.setCurrentIndex(explanation.reference_index)
        pixel, mark = explanation.pixel, explanation.mark
        self.query.show_picture(explanation.query_image, pixel, f"Slice {number}", mark)
        title = f"Ref. {explanation.reference_index + 1}, aligned"
        self.reference.show_picture(explanation.reference_image, pixel, title, mark)
        self.strip.show_value(explanation.value)
        self.strip.setVisible(bool(np.isfinite(explanation.value.query)))
        self._value.setText(value_text(explanation.value))
        self._alignment.setText(alignment_text(explanation))
        self._fit()

    def show_flicker(self, running: bool) -> None:
        """Says whether the canvas flickers."""
        self.flicker.setChecked(running)
        self.flicker.setText("Stop flicker" if running else "Flicker")

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: the pictures fill the width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        side = max(1, (self.width() - _SPACING) // 2)
        for frame in (self.query, self.reference):
            frame.fit(side)

    def _arrange(self) -> None:
        pictures = QHBoxLayout()
        pictures.setSpacing(_SPACING)
        pictures.addWidget(self.query)
        pictures.addWidget(self.reference)
        controls = QHBoxLayout()
        controls.addWidget(self.choice, 1)
        controls.addWidget(self.flicker)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(pictures)
        layout.addLayout(controls)
        layout.addWidget(self.strip)
        layout.addWidget(self._value)
        layout.addWidget(self._alignment)
        layout.addStretch(1)  # room to spare belongs below, not between the lines


def alignment_text(explanation: PlaceExplanation) -> str:
    """Says how scan and reference were laid on each other, and how well they lie."""
    shared, correlation = explanation.agreement.shared, explanation.agreement.correlation
    how = _PLACED.get(explanation.how, f"Placed by {explanation.how}")
    word = "well" if shared >= _GOOD else "fairly" if shared >= _FAIR else "poorly"
    told = (
        f"{how}. They lie {word} on each other: {100 * shared:.0f} % of this scan's anatomy is within that "
        f"of reference {explanation.reference_index + 1}"
    )
    told += f", correlation {correlation:.2f}." if np.isfinite(correlation) else "."
    part = " Only a part of the anatomy is in view: it was placed where it fits the references best."
    return told + (part if explanation.partial else "")
