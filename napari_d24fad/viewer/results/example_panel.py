"""Which abnormal example a scan is most like, and by which places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_d24fad.viewer.results.picture_frame import PictureFrame

if TYPE_CHECKING:
    from napari_d24fad.session.alike import Alike

_SPACING = 4
_MISSED = "Does its frame miss the lesion? Say where that is: Lesion… on its card."


class ExamplePanel(QWidget):
    """Shows one `Alike` at a time: the scan beside the example, the places framed in both.

    Attributes:
        query: The slice of the scan.
        example: The slice of the example.
    """

    place_requested = Signal()
    """The user wants to see the place on the canvas."""
    example_requested = Signal(int)
    """The example to look at, counted from 0."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = -1
        self._told = QLabel()
        self._told.setWordWrap(True)
        self._told.setAccessibleName("The abnormal example it is like")
        self.query = PictureFrame("The scan; the frame is where it is most like the example. Click: go there")
        self.example = PictureFrame(
            "The abnormal example; the frame is the place that is meant. Click: find it in the list"
        )
        self.query.clicked.connect(self.place_requested)
        self.example.clicked.connect(lambda: self.example_requested.emit(self._shown))
        pictures = QHBoxLayout()
        pictures.setSpacing(_SPACING)
        pictures.addWidget(self.query)
        pictures.addWidget(self.example)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._told)
        layout.addLayout(pictures)
        self.hide()

    @property
    def told(self) -> str:
        """What is said above the pictures."""
        return str(self._told.text())

    def say(self, text: str) -> None:
        """Shows a sentence in place of pictures."""
        self._told.setText(text)
        for frame in (self.query, self.example):
            frame.hide()
        self.show()

    def show_places(
        self, alike: Alike, number: str, example_number: str, *, lesion_known: bool = True
    ) -> None:
        """Shows two places that are alike.

        Args:
            alike: What to show.
            number: Of the slice of the scan, as the viewer numbers it; empty for a single image.
            example_number: Of the slice of the example; empty for a single image.
            lesion_known: Whether the reader said where the lesion of the example is.
        """
        self._shown = alike.example_index
        name = f"Example {alike.example_index + 1}"
        kind = f" ({alike.kind})" if alike.kind else ""
        told = f"Most like abnormal example {alike.example_index + 1}{kind}, in the frames."
        self._told.setText(told if lesion_known else f"{told} {_MISSED}")
        for frame, place, title, slice_number in (
            (self.query, alike.query, "This scan", number),
            (self.example, alike.example, name, example_number),
        ):
            caption = f"{title}, slice {slice_number}" if slice_number else title
            frame.show_picture(place.image, place.pixel, caption, box=place.box)
            frame.show()
        self._fit()
        self.show()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: the pictures fill the width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        side = max(1, (self.width() - _SPACING) // 2)
        for frame in (self.query, self.example):
            frame.fit(side)
