"""What is searched for in an archive: five fields and a button."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from napari_d24fad.archives.found import Wanted
from napari_d24fad.errors import ArgumentError

_PLACES = {
    "patient_id": ("Patient ID", "As the archive writes it; * stands for anything"),
    "name": ("Name", "Family^Given; * stands for anything, as in Smith*"),
    "date": ("Date", "YYYYMMDD, or a range: YYYYMMDD-YYYYMMDD"),
    "modality": ("Modality", "CT, MR, PT, ..."),
}


class SearchForm(QWidget):
    """Asks for what studies must have."""

    search_requested = Signal(object)
    """A `Wanted`."""
    refused = Signal(str)
    """Why what was typed cannot be searched for."""

    def __init__(self) -> None:
        super().__init__()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.fields: dict[str, QLineEdit] = {}
        for column, (key, (title, hint)) in enumerate(_PLACES.items()):
            field = QLineEdit()
            field.setToolTip(hint)
            field.setPlaceholderText(hint.split(";")[0].split(",")[0])
            field.setAccessibleName(title)
            field.returnPressed.connect(self.search)
            layout.addWidget(QLabel(title), 0, column)
            layout.addWidget(field, 1, column)
            self.fields[key] = field
        self.button = QPushButton("Search (Enter)")
        self.button.setToolTip("Ask the archive for studies that match all that is typed")
        self.button.clicked.connect(self.search)
        layout.addWidget(self.button, 1, len(_PLACES))

    def search(self) -> None:
        """Asks for what is typed; without anything nobody wants to know all that an archive has."""
        typed = {key: field.text().strip() for key, field in self.fields.items()}
        if not any(typed.values()):
            self.refused.emit("Type what to search for: an ID, a name, a date or a modality.")
            return
        try:
            wanted = Wanted(**typed)
        except ArgumentError as error:
            self.refused.emit(error.detail)
            return
        self.search_requested.emit(wanted)

    def show_patient(self, patient_id: str) -> None:
        """Searches for all studies of a patient."""
        for field in self.fields.values():
            field.clear()
        self.fields["patient_id"].setText(patient_id)
        self.search()
