"""A question in a row of the dock, not in a window of its own: a sentence and two buttons."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget


class AskingRow(QWidget):
    """Hidden until there is something to ask.

    Args:
        first: What the first button says.
        second: What the second one says.

    Attributes:
        about: The sentence.
        first: The button on the left.
        second: The button beside it.
    """

    def __init__(self, first: str, second: str) -> None:
        super().__init__()
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.first, self.second = QPushButton(first), QPushButton(second)
        buttons = QHBoxLayout()
        buttons.addWidget(self.first)
        buttons.addWidget(self.second)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.about)
        layout.addLayout(buttons)
        self.hide()

    @property
    def text(self) -> str:
        """What is said."""
        return str(self.about.text())
