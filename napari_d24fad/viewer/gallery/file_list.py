"""A list of which number is which file: shown when the user asks, never saved."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.studies.series import Series

_NOTICE = "File names may name patients. Nothing of this list is saved or shown elsewhere."
_HEADER = ("Study", "Scan", "File or folder")

Row = tuple[str, str, Series]
"""The title of a study, the name on a card, and its series."""


class FileList(QDialog):
    """Shows where each scan of the gallery came from.

    Args:
        rows: One for each scan that is in files.
        parent: Qt's parent.
    """

    def __init__(self, rows: Sequence[Row], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Which file is which")
        self.table = QTableWidget(len(rows), len(_HEADER))
        self.table.setHorizontalHeaderLabels(_HEADER)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        for at, (title, name, series) in enumerate(rows):
            for column, text in enumerate((title, name, _place(series))):
                item = QTableWidgetItem(text)
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
                self.table.setItem(at, column, item)
        self.table.resizeColumnsToContents()
        self.table.horizontalHeader().setStretchLastSection(True)
        notice = QLabel(_NOTICE)
        notice.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(notice)
        layout.addWidget(self.table, 1)
        layout.addWidget(buttons)
        self.resize(620, 420)


def _place(series: Series) -> str:
    """Returns the file of a series, or the folder of its files, below the folder that was opened."""
    files = series.files
    if not files:
        return "a layer of the viewer"
    if len(files) == 1:
        return "/".join(files[0].parts[-2:])
    return f"{'/'.join(files[0].parent.parts[-2:])} ({len(files)} files)"
