"""Opens other views of the scan on the canvas."""

from __future__ import annotations

from enum import Enum
from functools import partial

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget


class Views(Enum):
    """What stands below the canvas."""

    PLANES = "Three planes"
    COMPARE = "Compare"


_LETTERS = {Views.PLANES: "P", Views.COMPARE: "B"}
_TIPS = {
    Views.PLANES: "Axial, coronal and sagittal at once, with a crosshair that a click moves",
    Views.COMPARE: "The scan, the reference most like it, and the map beside each other",
}


class ViewsRow(QWidget):
    """A button for each; once more closes."""

    chosen = Signal(object)
    """The `Views` to show; None for none."""

    def __init__(self) -> None:
        super().__init__()
        self._buttons: dict[Views, QPushButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for views, letter in _LETTERS.items():
            button = QPushButton(f"{views.value} ({letter})")
            button.setCheckable(True)
            button.setToolTip(_TIPS[views])
            button.toggled.connect(partial(self._toggle, views))
            self._buttons[views] = button
            layout.addWidget(button, 1)

    def button(self, views: Views) -> QPushButton:
        """Returns the button of some views."""
        return self._buttons[views]

    def press(self, key: str) -> bool:
        """Chooses views by their letter; returns whether there are such and they can be shown."""
        views = next((each for each, letter in _LETTERS.items() if letter == key), None)
        if views is None or not self._buttons[views].isEnabled():
            return False
        self._buttons[views].click()
        return True

    def offer(self, views: Views, *, offered: bool) -> None:
        """Whether there is something to show in these views."""
        self._buttons[views].setEnabled(offered)

    def show_chosen(self, views: Views | None) -> None:
        """Shows which views are open; emits nothing."""
        for each, button in self._buttons.items():
            with QSignalBlocker(button):
                button.setChecked(each is views)

    def _toggle(self, views: Views, checked: bool) -> None:
        self.show_chosen(views if checked else None)
        self.chosen.emit(views if checked else None)
