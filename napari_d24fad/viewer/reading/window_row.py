"""Where the window that a scan is shown in is chosen, and what of it is not what is examined."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_d24fad.viewer.canvas.style import Limits, window_text
from napari_d24fad.viewer.narrow import NarrowBox
from napari_d24fad.viewer.reading.presets import Preset

_OWN = "Own"
_TIP = (
    "The window that the scan is shown in. Keys 1 to 9 choose one; on the picture, the right mouse button "
    "held down changes the width (left and right) and the level (up and down)."
)


class WindowRow(QWidget):
    """A list of presets with their keys, and a sentence where the model sees another window."""

    preset_chosen = Signal(object)
    """The `Preset` that the user chose."""
    examine_requested = Signal()
    """The user wants to examine in the window that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._presets: tuple[Preset, ...] = ()
        self._unit = ""
        self.choice = NarrowBox()
        self.choice.setAccessibleName("Window of the picture")
        self.choice.setToolTip(_TIP)
        self._examined = QLabel()
        self._examined.setWordWrap(True)
        self._examined.setAccessibleName("Window that is examined")
        self.examine_button = QPushButton("Examine in it")
        self.examine_button.setToolTip("Let the model see the scan and its references in this window")
        line = QHBoxLayout()
        line.addWidget(QLabel("Window"))
        line.addWidget(self.choice, 1)
        line.addWidget(self.examine_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(line)
        layout.addWidget(self._examined)
        self.choice.activated.connect(self._choose)
        self.examine_button.clicked.connect(self.examine_requested)
        self.say_examined("")

    @property
    def examined_text(self) -> str:
        """What is said of the window that the model sees; empty where it is the one that is shown."""
        return str(self._examined.text())

    def offer(self, presets: Sequence[Preset], unit: str) -> None:
        """Offers windows.

        Args:
            presets: In the order of the list.
            unit: Of their limits; empty for none.
        """
        self._presets, self._unit = tuple(presets), unit
        with QSignalBlocker(self.choice):
            self.choice.clear()
            for preset in self._presets:
                self.choice.addItem(f"{preset.key}  {preset.name}: {window_text(preset.limits, unit)}")

    def show_window(self, limits: Limits) -> None:
        """Shows which window is chosen, one of the reader's own if it is none of those offered."""
        at = next((row for row, each in enumerate(self._presets) if is_same(each.limits, limits)), None)
        with QSignalBlocker(self.choice):
            while self.choice.count() > len(self._presets):
                self.choice.removeItem(self.choice.count() - 1)
            if at is None:
                self.choice.addItem(f"{_OWN}: {window_text(limits, self._unit)}")
                at = self.choice.count() - 1
            self.choice.setCurrentIndex(at)

    def say_examined(self, text: str) -> None:
        """Says in which window the scan is examined, where that is another; empty for nothing to say."""
        self._examined.setText(text)
        self._examined.setVisible(bool(text))
        self.examine_button.setVisible(bool(text))

    def _choose(self, row: int) -> None:
        if row < len(self._presets):
            self.preset_chosen.emit(self._presets[row])


def is_same(one: Limits, other: Limits) -> bool:
    """Whether two windows look the same."""
    least = max(abs(one[1] - one[0]), 1e-12) / 1000
    return all(abs(a - b) <= least for a, b in zip(one, other, strict=True))
