"""Chooses what the colours over the scan show, and how opaque they are."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QSlider, QWidget

from napari_d24fad.viewer.canvas.map_view import MapView
from napari_d24fad.viewer.wheel import scroll_past


class ViewChoice(QWidget):
    """The map to show and its opacity."""

    view_changed = Signal(object)
    """The `MapView` the user wants."""
    opacity_changed = Signal(float)
    """Opacity of the overlay, 0 to 1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = QComboBox()
        self._view.setAccessibleName("What the colours show")
        self._view.setToolTip("What the colours over the scan show")
        self._view.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._view.setMinimumContentsLength(6)
        self._view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for view in MapView:
            self._view.addItem(view.title, view)
            self._view.setItemData(self._view.count() - 1, view.explanation, Qt.ItemDataRole.ToolTipRole)
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setValue(100)
        self._opacity.setAccessibleName("Opacity of the anomaly overlay")
        self._opacity.setToolTip("Opacity of the anomaly overlay")
        for part in (self._view, self._opacity):
            scroll_past(part)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view, 3)
        layout.addWidget(self._opacity, 2)
        self._view.currentIndexChanged.connect(lambda: self.view_changed.emit(self.view))
        self._opacity.valueChanged.connect(lambda percent: self.opacity_changed.emit(percent / 100))

    @property
    def view(self) -> MapView:
        """What the colours show."""
        return MapView(self._view.currentData())

    @property
    def view_box(self) -> QComboBox:
        """The choices; each item's user data is its `MapView`."""
        return self._view

    @property
    def opacity_slider(self) -> QSlider:
        """Opacity in percent."""
        return self._opacity

    def show_opacity(self, opacity: float) -> None:
        """Follows an opacity that was chosen elsewhere, 0 to 1; emits nothing."""
        with QSignalBlocker(self._opacity):
            self._opacity.setValue(round(100 * opacity))

    def choose(self, view: MapView) -> None:
        """Chooses a map, as the user would."""
        self._view.setCurrentIndex(self._view.findData(view))
