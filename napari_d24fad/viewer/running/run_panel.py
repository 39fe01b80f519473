"""Chooses the model, the device and the CT window, starts a run, shows how far it is and stops it."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from napari_d24fad.viewer.narrow import narrow
from napari_d24fad.viewer.running.direction_choice import DirectionChoice
from napari_d24fad.viewer.running.region_choice import RegionChoice
from napari_d24fad.viewer.running.window_choice import WindowChoice
from napari_d24fad.viewer.styles import ERROR, edged

AUTOMATIC = "auto"
_PROGRESS_STEPS = 1000


class RunPanel(QWidget):
    """Model, device, CT window, Run, progress, Cancel, and the message of what went wrong.

    Attributes:
        ct_window: The window of CT; shown for nothing else.
        direction: What is looked for in volumes; shown for nothing else.
        region: Where alone is examined.
    """

    run_requested = Signal()
    cancel_requested = Signal()
    devices_requested = Signal()
    """The user is about to choose a device: now it is worth asking which there are."""
    spoke = Signal()
    """There is a message to read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = QComboBox()
        self._model.setToolTip("The trained network that compares the scan with the references")
        self._model.setAccessibleName("Model")
        self._device = _AskingComboBox()
        self._device.setToolTip("Where it is computed; Automatic takes the graphics card if there is one")
        self._device.setAccessibleName("Device")
        self._device.addItem("Automatic", AUTOMATIC)
        self._device.opened.connect(self.devices_requested)
        for box in (self._model, self._device):
            narrow(box)
        self.ct_window = WindowChoice()
        self.direction = DirectionChoice()
        self.region = RegionChoice()
        self._run = QPushButton("Find anomalies")
        self._run.setToolTip("Compare the scan to examine with the normal references (R)")
        self._run.clicked.connect(self.run_requested)
        self._cancel = QPushButton("Cancel")
        self._cancel.setToolTip("Stop (Escape)")
        self._cancel.clicked.connect(self.cancel_requested)
        self._bar = QProgressBar()
        self._bar.setRange(0, _PROGRESS_STEPS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        self._step = QElidingLabel()
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._message.setAccessibleName("Message")
        self._arrange()
        self.set_idle()
        self.clear_message()

    @property
    def model(self) -> str:
        """Name of the chosen model."""
        return str(self._model.currentData() or "")

    @property
    def device(self) -> str:
        """Name of the chosen device, or ``"auto"``."""
        return str(self._device.currentData())

    @property
    def is_busy(self) -> bool:
        """Whether something runs that can be cancelled."""
        return not self._cancel.isHidden()

    @property
    def message(self) -> str:
        """The message shown, or nothing."""
        return "" if self._message.isHidden() else self._message.text()

    @property
    def run_button(self) -> QPushButton:
        """The button that starts a run."""
        return self._run

    @property
    def cancel_button(self) -> QPushButton:
        """The button that stops what runs."""
        return self._cancel

    def choose(
        self, model: str, device: str, window: tuple[float, float] | None, direction: str | None
    ) -> None:
        """Chooses what a run was asked for, as far as it is offered; tells nobody."""
        for box, wanted in ((self._model, model), (self._device, device), (self.direction, direction)):
            at = next((row for row in range(box.count()) if box.itemData(row) == wanted), None)
            if at is not None:
                with QSignalBlocker(box):
                    box.setCurrentIndex(at)
        self.ct_window.choose(window)

    def set_models(self, models: Sequence[tuple[str, str]]) -> None:
        """Offers models, the first being chosen.

        Args:
            models: Name and one line about each.
        """
        self._model.clear()
        for name, about in models:
            self._model.addItem(name, name)
            self._model.setItemData(self._model.count() - 1, about, Qt.ItemDataRole.ToolTipRole)

    def set_devices(self, devices: Sequence[tuple[str, str]]) -> None:
        """Offers devices beside the automatic choice; keeps what is chosen.

        Args:
            devices: Name and label of each, such as ``("cuda:0", "NVIDIA H100")``.
        """
        chosen = self.device
        while self._device.count() > 1:
            self._device.removeItem(1)
        for name, label in devices:
            self._device.addItem(label, name)
        self._device.setCurrentIndex(max(0, self._device.findData(chosen)))

    def set_busy(self, step: str, *, fraction: float | None = None) -> None:
        """Shows that something runs.

        Args:
            step: What it is doing.
            fraction: How much of it is done, 0 to 1; None if that is not known.
        """
        self._bar.setRange(0, 0 if fraction is None else _PROGRESS_STEPS)
        self._bar.setValue(round((fraction or 0.0) * _PROGRESS_STEPS))
        self._step.setText(step)
        for part in (self._bar, self._step, self._cancel):
            part.show()
        self._run.setEnabled(False)

    def set_idle(self) -> None:
        """Shows that nothing runs."""
        for part in (self._bar, self._step, self._cancel):
            part.hide()
        self._run.setEnabled(True)

    def show_error(self, text: str) -> None:
        """Shows what went wrong and what to do."""
        self._say(text, edged(ERROR))

    def show_note(self, text: str) -> None:
        """Shows something worth knowing that is no error."""
        self._say(text, "")

    def _say(self, text: str, style: str) -> None:
        self._message.setStyleSheet(style)
        self._message.setText(text)
        self._message.show()
        self.spoke.emit()

    def clear_message(self) -> None:
        """Takes the message away."""
        self._message.setText("")
        self._message.hide()

    def _arrange(self) -> None:
        choices = QFormLayout()
        choices.setContentsMargins(0, 0, 0, 0)
        choices.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        choices.addRow("Model", self._model)
        choices.addRow("Device", self._device)
        choices.addRow(self.ct_window.label, self.ct_window)
        choices.addRow(self.direction.label, self.direction)
        choices.addRow(self.region.label, self.region)
        buttons = QHBoxLayout()
        buttons.addWidget(self._run, 1)
        buttons.addWidget(self._cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(choices)
        layout.addLayout(buttons)
        layout.addWidget(self._bar)
        layout.addWidget(self._step)
        layout.addWidget(self._message)


class _AskingComboBox(QComboBox):
    """A combo box that tells when the user turns to it."""

    opened = Signal()

    def showPopup(self) -> None:  # noqa: N802 - Qt's name
        self.opened.emit()
        super().showPopup()
