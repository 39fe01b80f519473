"""A message that is read in full without pushing away what is above it."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QWidget

_MOST_LINES = 6


class MessageBox(QScrollArea):
    """Wrapped text as high as it needs to be, up to some lines; more of it is scrolled to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._label.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._label.setAccessibleName("Message")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setWidget(self._label)

    @property
    def text(self) -> str:
        """What is shown; empty for nothing."""
        return "" if self.isHidden() else str(self._label.text())

    def show_text(self, text: str, style: str) -> None:
        """Shows a text from its beginning.

        Args:
            text: The text.
            style: Its style sheet.
        """
        self._label.setStyleSheet(style)
        self._label.setText(text)
        self.show()
        self.verticalScrollBar().setValue(0)
        self._fit()

    def clear(self) -> None:
        """Shows nothing and takes no room."""
        self._label.clear()
        self.hide()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Qt: a line at least."""
        return QSize(100, self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Qt: any width will do."""
        return QSize(1, 1)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: another font or theme needs another height."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def event(self, event: QEvent) -> bool:
        """Qt: another width needs another height."""
        done = bool(super().event(event))
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self._fit()
        return done

    def _fit(self) -> None:
        most = _MOST_LINES * self._label.fontMetrics().lineSpacing()
        needed = self._label.heightForWidth(self.width())
        # Tab stops here only if there is something to scroll to.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if needed > most else Qt.FocusPolicy.NoFocus)
        needed = min(needed, most)
        if needed > 0 and needed != self.height():
            self.setFixedHeight(needed)
