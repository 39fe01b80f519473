"""Chooses how regions look on the picture: filled or outlined, and in which colours."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_d24fad.export.colours import COLOURS
from napari_d24fad.viewer.narrow import NarrowBox

_LEAST_LETTERS = 3


class LookChoice(QWidget):
    """Fill or outline, and the colours of the map."""

    outlined_changed = Signal(bool)
    """Whether regions are outlined and not filled."""
    colours_changed = Signal(str)
    """Name of the colours the user wants, one of `COLOURS`."""

    def __init__(self) -> None:
        super().__init__()
        self.fill, self.colours = NarrowBox(), NarrowBox()
        self.fill.setAccessibleName("Regions filled or outlined")
        self.fill.setToolTip("Colour the regions, or draw a line around them and leave the picture clear")
        self.fill.addItems(["Filled", "Outlined"])
        self.colours.setAccessibleName("Colours of the map")
        self.colours.setToolTip("All can be read without colour vision; cividis looks the same to most eyes")
        for name, title in COLOURS.items():
            self.colours.addItem(title, name)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for box in (self.fill, self.colours):
            box.setMinimumContentsLength(_LEAST_LETTERS)
            layout.addWidget(box, 1)
        self.fill.currentIndexChanged.connect(lambda row: self.outlined_changed.emit(row == 1))
        self.colours.currentIndexChanged.connect(lambda: self.colours_changed.emit(self.name))

    @property
    def name(self) -> str:
        """Of the colours that are chosen, one of `COLOURS`."""
        return str(self.colours.currentData())

    def choose(self, name: str) -> None:
        """Chooses colours, one of `COLOURS`."""
        self.colours.setCurrentIndex(self.colours.findData(name))

    @property
    def is_outlined(self) -> bool:
        """Whether regions are outlined and not filled."""
        return bool(self.fill.currentIndex() == 1)
