"""What examines all scans of the gallery, one after the other, and how far that is."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget
from superqt import QElidingLabel

_STEPS = 1000
EXAMINE_KEY = "Shift+R"
"""Which napari does not use."""


class QueueBar(QWidget):
    """Examines all scans of the gallery, or those that are selected; shows how far that is.

    Attributes:
        examine_button: Starts.
        skip_button: Stops the scan that is examined now.
        stop_button: Stops all.
    """

    examine_requested = Signal()
    skip_requested = Signal()
    stop_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.examine_button = QPushButton()
        self.examine_button.setToolTip(
            "Examine all scans that are listed and not marked, one after the other, against the normal "
            "references. To examine some of them, select these: Ctrl+click on their cards, or S"
        )
        self.examine_button.clicked.connect(self.examine_requested)
        self.skip_button, self.stop_button = QPushButton("Skip this one"), QPushButton("Stop all")
        self.skip_button.setToolTip("Leave out the scan that is examined now, and go on with the next")
        self.stop_button.setToolTip("Examine no more scans; results that are there stay")
        self.skip_button.clicked.connect(self.skip_requested)
        self.stop_button.clicked.connect(self.stop_requested)
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        self._step = QElidingLabel()
        self._running = QWidget()
        buttons = QHBoxLayout()
        buttons.addWidget(self.skip_button)
        buttons.addWidget(self.stop_button)
        column = QVBoxLayout(self._running)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._step)
        column.addWidget(self._bar)
        column.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.examine_button)
        layout.addWidget(self._running)
        self.show_idle(0, selected=False)

    @property
    def step(self) -> str:
        """What is said of the scan that is examined; empty if none is."""
        return "" if self._running.isHidden() else str(self._step.text())

    def show_idle(self, count: int, *, selected: bool, expected: str = "") -> None:
        """Offers to examine so many scans.

        Args:
            count: How many.
            selected: Whether they were selected, or are all that are not marked.
            expected: How long that takes; empty if it is not known.
        """
        which = "selected" if selected else "all"
        told = ", ".join(filter(None, (str(count), expected)))
        self.examine_button.setText(f"Examine {which} ({told})  {EXAMINE_KEY}")
        self.examine_button.setEnabled(count > 0)
        self.examine_button.show()
        self._running.hide()

    def show_running(self, fraction: float, step: str) -> None:
        """Shows how far it is, 0 to 1."""
        self._bar.setValue(round(fraction * _STEPS))
        self._step.setText(step)
        self._step.setToolTip(step)
        self.examine_button.hide()
        self._running.show()
