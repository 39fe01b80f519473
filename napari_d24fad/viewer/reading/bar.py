"""The row of the dock that is about the picture on the canvas."""

from __future__ import annotations

from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_d24fad.viewer.linked.row import ViewsRow
from napari_d24fad.viewer.reading.tools import ToolRow
from napari_d24fad.viewer.reading.window_row import WindowRow


class ReadingBar(QWidget):
    """Window, and what is under the cursor.

    Attributes:
        window: Where the window is chosen.
        tools: What measures and marks.
        views: What opens other views.
    """

    def __init__(self) -> None:
        super().__init__()
        self.window = WindowRow()
        self.tools = ToolRow()
        self.views = ViewsRow()
        self._cursor = QElidingLabel()
        self._cursor.setAccessibleName("Under the cursor")
        self._cursor.setToolTip("Value of the scan, score of the map with the p-value of the pixel, position")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.window)
        layout.addWidget(self.tools)
        layout.addWidget(self.views)
        layout.addWidget(self._cursor)

    @property
    def cursor_text(self) -> str:
        """What is said of the place under the cursor."""
        return str(self._cursor.text())

    def show_cursor(self, text: str) -> None:
        """Says what is under the cursor."""
        self._cursor.setText(text)
