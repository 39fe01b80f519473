"""The window of models: what is installed, what others publish, and what each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

_COLUMNS = ("Name", "What it is", "State")


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A line of the list.

    Attributes:
        name: As it is chosen.
        title: What it is, in a few words.
        state: Whether it is installed, or what is wrong with it.
        details: What else is known, for people.
        downloads: Whether its weights can be fetched, and are not here.
    """

    name: str
    title: str
    state: str
    details: str
    downloads: bool = False


class ModelsDialog(QDialog):
    """Lists models; asks for one to be fetched or a file to be imported.

    Args:
        parent: Widget below it.
    """

    download_requested = Signal(str)
    """The name of a teacher whose weights are to be fetched."""
    import_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Models")
        self.list = QTreeWidget()
        self.list.setHeaderLabels(_COLUMNS)
        self.list.setRootIsDecorated(False)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.currentItemChanged.connect(self._follow)
        self.details = QLabel()
        self.details.setWordWrap(True)
        self.details.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.details.setTextFormat(Qt.TextFormat.PlainText)
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.download_button = QPushButton("Download")
        self.download_button.clicked.connect(self._download)
        self.import_button = QPushButton("Import a file…")
        self.import_button.setToolTip("A model (.safetensors), or the published weights of a teacher")
        self.import_button.clicked.connect(self.import_requested)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        buttons = QHBoxLayout()
        for button in (self.download_button, self.import_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch()
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.list, 1)
        scroll = QScrollArea()  # what is known of a model can be long
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.details)
        layout.addWidget(scroll, 2)
        layout.addWidget(self.status)
        layout.addLayout(buttons)
        self.resize(720, 560)
        self._rows: tuple[ModelRow, ...] = ()

    @property
    def chosen(self) -> ModelRow | None:
        """The line that is chosen."""
        at = self.list.indexOfTopLevelItem(self.list.currentItem())
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def choose(self, name: str) -> None:
        """Chooses a line by its name."""
        at = next((at for at, row in enumerate(self._rows) if row.name == name), None)
        if at is not None:
            self.list.setCurrentItem(self.list.topLevelItem(at))

    def show_rows(self, rows: Sequence[ModelRow]) -> None:
        """Lists models; the line that was chosen stays so."""
        chosen = self.chosen
        self.list.clear()
        self._rows = tuple(rows)
        for row in rows:
            self.list.addTopLevelItem(QTreeWidgetItem([row.name, row.title, row.state]))
        for column in range(len(_COLUMNS)):
            self.list.resizeColumnToContents(column)
        self.choose(chosen.name if chosen is not None else rows[0].name if rows else "")
        self._follow()

    def set_busy(self, busy: bool) -> None:
        """Asks for nothing more while something is under way."""
        self.import_button.setEnabled(not busy)
        row = self.chosen
        self.download_button.setEnabled(not busy and row is not None and row.downloads)

    def _follow(self) -> None:
        row = self.chosen
        self.details.setText("" if row is None else row.details)
        self.download_button.setEnabled(row is not None and row.downloads)

    def _download(self) -> None:
        row = self.chosen
        if row is not None:
            self.download_requested.emit(row.name)
