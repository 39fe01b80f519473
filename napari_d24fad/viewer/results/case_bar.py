"""Goes from the result of a scan to that of the next in the list."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

NEXT_KEY, PREVIOUS_KEY = "J", "K"
"""Which napari does not use."""


class CaseBar(QWidget):
    """Goes to the result before and after the one that is shown.

    Attributes:
        previous_button: To the one before.
        next_button: To the next.
    """

    step_requested = Signal(int)
    """1 for the next result, -1 for the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.previous_button = QPushButton(f"◀ Previous  {PREVIOUS_KEY}")
        self.next_button = QPushButton(f"Next  {NEXT_KEY} ▶")
        self.previous_button.setToolTip("Show the result of the scan before, in the order of the list")
        self.next_button.setToolTip("Show the result of the next scan, in the order of the list")
        self.previous_button.clicked.connect(lambda: self.step_requested.emit(-1))
        self.next_button.clicked.connect(lambda: self.step_requested.emit(1))
        self._place = QLabel()
        self._place.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._place.setAccessibleName("Which result of the list is shown")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.previous_button)
        layout.addWidget(self._place, 1)
        layout.addWidget(self.next_button)
        self.hide()

    @property
    def text(self) -> str:
        """Which result is shown, such as ``"2 of 6"``."""
        return str(self._place.text())

    def show_place(self, at: int | None, count: int) -> None:
        """Shows which result is shown.

        Args:
            at: Its place, from 0; None if it is none of the list.
            count: How many there are; with fewer than two the row is hidden.
        """
        self._place.setText(f"{'-' if at is None else at + 1} of {count}")
        self.previous_button.setEnabled(at is None or at > 0)
        self.next_button.setEnabled(at is None or at < count - 1)
        self.setVisible(count > 1)
