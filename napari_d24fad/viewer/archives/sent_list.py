"""Files that wait to be sent, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

_HEAD = ("File", "In the archive?", "SOP Instance UID")
_WIDTHS = (190, 420, 200)
_HEIGHT_PX = 150


class SentList(QWidget):
    """A row for each file; hidden until there is one."""

    send_requested = Signal(object)
    """The `Path` of each file that waited."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: tuple[Path, ...] = ()
        self.title = QLabel()
        self.button = QPushButton()
        self.button.setAutoDefault(False)  # Enter searches
        self.button.setToolTip("Send these files as they are to the archive that is chosen above")
        self.button.clicked.connect(lambda: self.send_requested.emit(list(self._waiting)))
        self.rows = QTreeWidget()
        self.rows.setHeaderLabels(list(_HEAD))
        self.rows.setRootIsDecorated(False)
        self.rows.setAccessibleName("Files that are sent")
        self.rows.setFixedHeight(_HEIGHT_PX)
        for column, width in enumerate(_WIDTHS):
            self.rows.setColumnWidth(column, width)
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.rows)
        self.hide()

    @property
    def is_waiting(self) -> bool:
        """Whether files wait to be sent."""
        return bool(self._waiting)

    def offer(self, files: Sequence[Path]) -> None:
        """Shows files that wait for their button."""
        self._waiting = tuple(files)
        self.title.setText("Saved objects, not sent yet")
        self.button.setText(f"Send {len(files)} file{'s' if len(files) != 1 else ''}")
        self.button.show()
        self._show([(file.name, "not sent yet", "") for file in files])

    def show_sent(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Shows what became of each file.

        Args:
            rows: Its name, what became of it, and its SOP Instance UID.
        """
        self._waiting = ()
        self.title.setText("Sent last")
        self.button.hide()
        self._show(rows)

    def _show(self, rows: Sequence[tuple[str, str, str]]) -> None:
        self.rows.clear()
        for row in rows:
            item = QTreeWidgetItem(list(row))
            for column, text in enumerate(row):
                item.setToolTip(column, text)
            self.rows.addTopLevelItem(item)
        self.setVisible(bool(rows))
