"""Chooses the model, the device, the CT window, the direction and the region of a run."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QPushButton, QWidget

from napari_d24fad.viewer.narrow import NarrowBox
from napari_d24fad.viewer.running.direction_choice import DirectionChoice
from napari_d24fad.viewer.running.region_choice import RegionChoice
from napari_d24fad.viewer.running.window_choice import WindowChoice

AUTOMATIC = "auto"


class RunSettings(QWidget):
    """What a run is done with.

    Attributes:
        ct_window: The window of CT; shown for nothing else.
        direction: What is looked for in volumes; shown for nothing else.
        region: Where alone is examined.
    """

    devices_requested = Signal()
    """The user is about to choose a device: now it is worth asking which there are."""
    models_requested = Signal()
    """Models are to be listed, fetched or imported."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = NarrowBox()
        self._model.setToolTip("The trained network that compares the scan with the references")
        self._model.setAccessibleName("Model")
        self._device = _AskingBox()
        self._device.setToolTip("Where it is computed; Automatic takes the graphics card if there is one")
        self._device.setAccessibleName("Device")
        self._device.addItem("Automatic", AUTOMATIC)
        self._device.opened.connect(self.devices_requested)
        self.models_button = QPushButton("Models…")
        self.models_button.setToolTip("List models, download weights, import a file")
        self.models_button.clicked.connect(self.models_requested)
        self.ct_window = WindowChoice()
        self.direction = DirectionChoice()
        self.region = RegionChoice()
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow("Model", self._model)
        form.addRow("", self.models_button)
        form.addRow("Device", self._device)
        form.addRow(self.ct_window.label, self.ct_window)
        form.addRow(self.direction.label, self.direction)
        form.addRow(self.region.label, self.region)

    @property
    def model(self) -> str:
        """Name of the chosen model."""
        return str(self._model.currentData() or "")

    @property
    def model_box(self) -> QComboBox:
        """The models to choose from; each item's user data is its name."""
        return self._model

    @property
    def device_box(self) -> QComboBox:
        """The devices to choose from, likewise."""
        return self._device

    @property
    def device(self) -> str:
        """Name of the chosen device, or ``"auto"``."""
        return str(self._device.currentData())

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
        """Offers models; what is chosen stays so where it is offered, else the first is.

        Args:
            models: Name and one line about each.
        """
        chosen = self.model
        self._model.clear()
        for name, about in models:
            self._model.addItem(name, name)
            self._model.setItemData(self._model.count() - 1, about, Qt.ItemDataRole.ToolTipRole)
        self._model.setCurrentIndex(max(0, self._model.findData(chosen)))

    def choose_device(self, name: str) -> None:
        """Chooses a device, whether or not it is known to be there: a run would say if it is not."""
        if self._device.findData(name) < 0:
            self._device.addItem(name, name)
        self._device.setCurrentIndex(self._device.findData(name))

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


class _AskingBox(NarrowBox):
    """A combo box that tells when the user turns to it."""

    opened = Signal()

    def showPopup(self) -> None:  # noqa: N802 - Qt's name
        self.opened.emit()
        super().showPopup()
