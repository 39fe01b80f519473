"""All keys on one sheet."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QAbstractButton,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QScrollArea,
    QShortcut,
    QVBoxLayout,
    QWidget,
)

KEYS: Mapping[str, Mapping[str, str]] = {
    "Anywhere in the viewer": {
        "R": "Find anomalies",
        "Shift+R": "Examine all scans of the list",
        "Esc": "Stop; back to the result",
        "J / K": "Next / previous scan with a result",
        "M / Shift+M": "Next / previous map of the result",
        "F": "Flicker between scan and reference",
        "1 … 9": "Window of the picture",
        "Right button": "Width and level of the window (on the picture)",
        "D / E": "Ruler / ellipse",
        "I / O": "Add a finding / draw around one",
        "P / B": "Three planes / compare with reference and map",
        "Alt+S / Alt+U / Alt+T": "Page Scans / Run / Result",
        "Tab / Shift+Tab": "Next / previous control of the panel",
        "?": "This sheet",
    },
    "On the card of a scan": {
        "Return": "Look at the scan, or at its result",
        "N": "Normal reference",
        "A": "Abnormal example",
        "Q": "Examine this scan",
        "S": "Select it, to be examined with others",
    },
    "In the table of regions": {
        "A": "Accept",
        "X": "Reject",
        "N": "Note",
        "Del": "Take away what was marked by hand",
        "Ctrl+Z / Ctrl+Shift+Z": "Undo / redo a verdict or note",
        "↑ / ↓": "Go to the region",
    },
    "On the curve of scores": {
        "← / →": "Previous / next slice",
        "Page Up / Page Down": "Ten slices on / back",
        "Home / End": "First / last slice",
    },
}
"""What each key does, by where it does so."""


class KeySheet(QDialog):
    """A window beside the viewer, which goes on meanwhile; Escape closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys of Find anomalies")
        listed = QWidget()
        form = QFormLayout(listed)
        form.setVerticalSpacing(2)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for place, keys in KEYS.items():
            heading = QLabel(place)
            heading.setStyleSheet("font-weight: bold; padding-top: 6px;")
            form.addRow(heading)
            for key, action in keys.items():
                told = QLabel(action)
                told.setWordWrap(True)
                form.addRow(key, told)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(listed)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll)
        layout.addWidget(close)
        self.resize(430, min(560, parent.window().height()))


class KeySheetOpener:
    """Opens the sheet on `?`, wherever the focus is in the window of a panel.

    Args:
        panel: The panel.
        button: Its button for the sheet.
    """

    def __init__(self, panel: QWidget, button: QAbstractButton) -> None:
        self._panel = panel
        button.clicked.connect(self.open)
        shortcut = QShortcut(QKeySequence("?"), panel)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(self.open)
        self._sheet: KeySheet | None = None

    @property
    def sheet(self) -> KeySheet | None:
        """The sheet, once it was opened."""
        return self._sheet

    def open(self) -> None:
        """Shows the sheet."""
        if self._sheet is None:
            self._sheet = KeySheet(self._panel)
        self._sheet.show()
        self._sheet.raise_()
