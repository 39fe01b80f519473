"""What stands above the cards: a search, the order, and which file is which."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from napari_d24fad.viewer.gallery.sorting import Order
from napari_d24fad.viewer.narrow import NarrowBox


class GalleryTools(QWidget):
    """Search line, order and the list of files.

    Attributes:
        search: The line.
        choice: The order.
        files_button: Asks for the list of files.
    """

    changed = Signal()
    """Cards are to be found or sorted anew."""
    files_requested = Signal()
    """The user wants to know which file is which."""

    def __init__(self) -> None:
        super().__init__()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find…")
        self.search.setToolTip("Show only scans whose name, kind, plane, size or number holds these words")
        self.search.setAccessibleName("Find scans")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _: self.changed.emit())
        self.choice = NarrowBox()
        self.choice.setToolTip("The order that scans are listed in")
        self.choice.setAccessibleName("Order")
        for order in Order:
            self.choice.addItem(order.value, order.name)
        self.choice.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.files_button = QPushButton("Files…")
        self.files_button.setToolTip("List which number is which file; the list is not saved")
        self.files_button.clicked.connect(self.files_requested)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.search, 1)
        layout.addWidget(self.choice, 1)
        layout.addWidget(self.files_button)

    @property
    def order(self) -> Order:
        """The order that is chosen."""
        return Order[str(self.choice.currentData())]
