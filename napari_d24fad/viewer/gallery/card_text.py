"""What a card says of its series in words."""

from __future__ import annotations

import re

from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_d24fad.studies.series import Series

_NUMBER = re.compile(r"(?:, )?no\. \d+")


class CardText(QWidget):
    """Name, kind and size of a series, and what is doubtful about it.

    Args:
        beside: Stands beside the spacing, which can be cut short: the card must fit the narrowest dock.
        below: What follows below.
    """

    def __init__(self, beside: QWidget, below: tuple[QWidget, ...]) -> None:
        super().__init__()
        self._title, self._what, self._spacing = QElidingLabel(), QElidingLabel(), QElidingLabel()
        self._title.setObjectName("d24fadTitle")
        self._note = QElidingLabel()
        self._note.setObjectName("d24fadNote")
        self._note.hide()
        size = QHBoxLayout()
        size.setContentsMargins(0, 0, 0, 0)
        size.addWidget(self._spacing, 1)
        size.addWidget(beside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._title)
        column.addWidget(self._what)
        column.addLayout(size)
        column.addWidget(self._note)
        for widget in below:
            column.addWidget(widget)

    @property
    def name(self) -> str:
        """What the series is called, beginning with its number if it has one."""
        return str(self._title.text())

    def set_name(self, name: str) -> None:
        """Shows another name."""
        self._title.setText(name)

    def show_series(self, series: Series) -> None:
        """Shows another series, without what was doubtful about the one before."""
        what, _, spacing = series.label.partition(", ")
        name = series.identity.description or what
        self._title.setText(f"{series.number}. {name}" if series.number else name)
        self._what.setText(what)
        self._spacing.setText(_NUMBER.sub("", spacing).removeprefix(", "))
        self._note.hide()

    def tell(self, text: str) -> None:
        """Says what is doubtful, as far as it fits."""
        self._note.setText(text)
        self._note.setVisible(bool(text))
