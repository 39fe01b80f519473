"""The tools that measure and mark on the picture, and the list of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import partial

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QGridLayout, QListWidget, QPushButton, QVBoxLayout, QWidget

_MOST_ROWS = 3


class Tool(Enum):
    """What the left mouse button draws on the picture."""

    RULER = "Ruler"
    ELLIPSE = "Ellipse"
    FINDING = "Add finding"
    OUTLINE = "Outline finding"


_TIPS = {
    Tool.RULER: "Draw a line: its length in mm",
    Tool.ELLIPSE: "Draw an ellipse: mean, standard deviation and area",
    Tool.FINDING: "Click, or draw an ellipse, where you see something: it joins the findings as accepted",
    Tool.OUTLINE: "Draw around something in this slice, with the button held down: it joins the findings",
}
_LETTERS = {Tool.RULER: "D", Tool.ELLIPSE: "E", Tool.FINDING: "I", Tool.OUTLINE: "O"}
_TOOLS = {letter: tool for tool, letter in _LETTERS.items()}


class _List(QListWidget):
    delete_requested = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: Delete takes a measurement away; letters are for the dock."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_requested.emit()
        elif event.text().isprintable() and event.text():
            event.ignore()
        else:
            super().keyPressEvent(event)


class ToolRow(QWidget):
    """One button for each tool; below them what was measured in the scan that is shown."""

    tool_chosen = Signal(object)
    """The `Tool` to draw with; None to draw no more."""
    measurement_requested = Signal(int)
    """The measurement to go to, counted from 0."""
    removal_requested = Signal(int)
    """The measurement to take away."""

    def __init__(self) -> None:
        super().__init__()
        self._buttons = {tool: self._button(tool) for tool in Tool}
        self.list = _List()
        self.list.setAccessibleName("Measurements")
        self.list.setToolTip("Click to go to a measurement, Delete takes it away")
        self.list.hide()
        lines = QGridLayout()
        lines.setSpacing(2)
        for at, button in enumerate(self._buttons.values()):
            lines.addWidget(button, *divmod(at, 2))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(lines)
        layout.addWidget(self.list)
        self.list.currentRowChanged.connect(self._go)
        self.list.itemClicked.connect(lambda: self._go(self.list.currentRow()))
        self.list.delete_requested.connect(self._remove)

    def button(self, tool: Tool) -> QPushButton:
        """Returns the button of a tool."""
        return self._buttons[tool]

    def press(self, key: str) -> bool:
        """Chooses a tool by its letter; returns whether it has one."""
        tool = _TOOLS.get(key)
        if tool is None or not self._buttons[tool].isEnabled():
            return False
        self._buttons[tool].click()
        return True

    def show_tool(self, tool: Tool | None) -> None:
        """Shows which tool draws; emits nothing."""
        for each, button in self._buttons.items():
            with QSignalBlocker(button):
                button.setChecked(each is tool)

    def offer(self, tool: Tool, *, offered: bool) -> None:
        """Whether a tool can be used."""
        self._buttons[tool].setEnabled(offered)

    def show_measurements(self, texts: Sequence[str]) -> None:
        """Lists what was measured; emits nothing."""
        with QSignalBlocker(self.list):
            self.list.clear()
            self.list.addItems(list(texts))
            self.list.setCurrentRow(-1)
        row = self.list.sizeHintForRow(0) if texts else 0
        self.list.setFixedHeight(min(len(texts), _MOST_ROWS) * row + 2 * self.list.frameWidth())
        self.list.setVisible(bool(texts))

    def _button(self, tool: Tool) -> QPushButton:
        button = QPushButton(f"{tool.value} ({_LETTERS[tool]})")
        button.setCheckable(True)
        button.setToolTip(_TIPS[tool])
        button.toggled.connect(partial(self._toggle, tool))
        return button

    def _toggle(self, tool: Tool, checked: bool) -> None:
        self.show_tool(tool if checked else None)
        self.tool_chosen.emit(tool if checked else None)

    def _go(self, row: int) -> None:
        if row >= 0:
            self.measurement_requested.emit(row)

    def _remove(self) -> None:
        if self.list.currentRow() >= 0:
            self.removal_requested.emit(self.list.currentRow())
