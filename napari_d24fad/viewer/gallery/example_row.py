"""What an abnormal example shows, and where in it: its kind and its lesion, both optional."""

from __future__ import annotations

from enum import Enum

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_d24fad.export.anatomy import slice_number
from napari_d24fad.session.request import Drawn, Example
from napari_d24fad.studies.series import Series

Lesion = Drawn | tuple[int, ...] | None

_SPACING = 4
_ASKS = "Outline the lesion on the canvas, or go to its slice:"
_ASKS_OF_IMAGE = "Outline the lesion on the canvas:"


class LesionStep(Enum):
    """What the user does to say where the lesion of an example is."""

    SHOW = "Lesion…"
    OUTLINE = "Take outline"
    SLICE = "Take slice"
    FORGET = "Forget"
    BACK = "Back"


_TIPS = {
    LesionStep.SHOW: "Show this scan and say where its lesion is; else what stands out most is taken",
    LesionStep.OUTLINE: "What is drawn over the scan is the lesion",
    LesionStep.SLICE: "The lesion is in the slice that is shown",
    LesionStep.FORGET: "Take what stands out most instead",
    LesionStep.BACK: "Leave it as it is and show the result again (Escape)",
}


class ExampleRow(QWidget):
    """The kind of an abnormal example, and the buttons that say where its lesion is."""

    changed = Signal()
    """The kind is another one now."""
    step_requested = Signal(object)
    """The `LesionStep` that the user takes."""

    def __init__(self) -> None:
        super().__init__()
        self._lesion: Lesion = None
        self._kind = ""
        self.kind_box = QLineEdit()
        self.kind_box.setMinimumWidth(1)
        self.kind_box.setPlaceholderText("Kind (optional)")
        self.kind_box.setToolTip(
            "What it shows, such as haemorrhage: examples of one kind teach together, each kind apart"
        )
        self.kind_box.editingFinished.connect(self._follow_kind)
        self._asks = QLabel()
        self._asks.setWordWrap(True)
        self._buttons = {step: QPushButton(step.value) for step in LesionStep}
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.kind_box, 1)
        for step, button in self._buttons.items():
            button.setToolTip(_TIPS[step])
            button.clicked.connect(lambda _, step=step: self.step_requested.emit(step))
            (first if step is LesionStep.SHOW else second).addWidget(button)
        layout = QVBoxLayout(self)
        for each in (first, second, layout):
            each.setContentsMargins(0, 0, 0, 0)
            each.setSpacing(_SPACING)
        layout.addLayout(first)
        layout.addWidget(self._asks)
        layout.addLayout(second)
        self.set_marking(None)
        self.hide()

    def button(self, step: LesionStep) -> QPushButton:
        """Returns the button of a step."""
        return self._buttons[step]

    def example(self, series: Series) -> Example:
        """Returns the series as an example of this kind, with its lesion."""
        return Example(series, self._kind, self._lesion)

    def set_lesion(self, lesion: Lesion, series: Series) -> None:
        """Shows where the lesion is; asks nobody.

        Args:
            lesion: See `Example.lesion`.
            series: The scan.
        """
        self._lesion = lesion
        told = "Lesion…" if lesion is None else "Lesion: outlined"
        if isinstance(lesion, tuple):
            told = "Lesion: slice " + ", ".join(str(slice_number(series.outline, each)) for each in lesion)
        self._buttons[LesionStep.SHOW].setText(told)

    def set_kind(self, kind: str) -> None:
        """Shows what it is; asks nobody."""
        self._kind = kind
        self.kind_box.setText(kind)

    def take_over(self, other: ExampleRow) -> None:
        """Shows the kind of another; its lesion is one of another scan."""
        self.set_kind(other._kind)

    def set_marking(self, series: Series | None) -> None:
        """Shows whether the lesion is being marked, and on what.

        Args:
            series: The scan that is shown for it; None for none.
        """
        volume = series is not None and series.outline.is_volume
        self._asks.setText(_ASKS if volume else _ASKS_OF_IMAGE)
        self._asks.setVisible(series is not None)
        for step, button in self._buttons.items():
            button.setVisible((step is LesionStep.SHOW) is (series is None))
        self._buttons[LesionStep.SLICE].setVisible(volume)
        self._buttons[LesionStep.FORGET].setVisible(series is not None and self._lesion is not None)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: Return ends the typing of a kind, and asks nothing of the card."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def _follow_kind(self) -> None:
        kind = self.kind_box.text().strip()
        if kind != self._kind:
            self._kind = kind
            self.changed.emit()
