"""A titled part of a panel that can be folded away."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_d24fad.viewer.focus import FOCUS

_STYLE = f"""
QToolButton {{ text-align: left; padding: 2px; border: none; }}
QToolButton:focus {{ padding: 0px; border: 2px solid {FOCUS}; }}
"""


class Section(QWidget):
    """A title and the widget below it; a click on the title shows or hides that.

    Args:
        title: The title.
        content: The widget.
        unfolded: Whether the widget is shown at first.
    """

    unfolded_changed = Signal(bool)
    """Whether the content is shown now."""

    def __init__(self, title: str, content: QWidget, *, unfolded: bool) -> None:
        super().__init__()
        self._content = content
        self._header = QToolButton()
        self._header.setCheckable(True)
        self._header.setAutoRaise(True)
        self._header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._header.setMinimumWidth(1)  # a long title must not widen the dock
        self._header.setStyleSheet(_STYLE)
        # What is left of the height belongs below the last part, not between the parts.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._header)
        layout.addWidget(content)
        self._header.toggled.connect(self._fold)
        self.set_title(title)
        self._header.setChecked(unfolded)
        self._fold(unfolded)

    @property
    def header(self) -> QToolButton:
        """The title that is clicked."""
        return self._header

    @property
    def is_unfolded(self) -> bool:
        """Whether the content is shown."""
        return bool(self._header.isChecked())

    def set_title(self, title: str) -> None:
        """Changes the title."""
        self._header.setText(title)
        self._header.setAccessibleName(title)

    def set_unfolded(self, unfolded: bool) -> None:
        """Shows or hides the content."""
        self._header.setChecked(unfolded)

    def _fold(self, unfolded: bool) -> None:
        self._header.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        self._content.setVisible(unfolded)
        self.unfolded_changed.emit(unfolded)
