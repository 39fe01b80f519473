"""Chooses what the colours over the scan show, and how opaque they are."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QSlider, QWidget

from napari_d24fad.detection.result import MapChannel
from napari_d24fad.viewer.canvas.map_view import JOINED_TITLE, ChannelView, MapView, View
from napari_d24fad.viewer.narrow import NarrowBox
from napari_d24fad.viewer.wheel import scroll_past


class ViewChoice(QWidget):
    """The map to show and its opacity."""

    view_changed = Signal(object)
    """The `View` the user wants."""
    opacity_changed = Signal(float)
    """Opacity of the overlay, 0 to 1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = NarrowBox()
        self._view.setAccessibleName("What the colours show")
        self._view.setToolTip("What the colours over the scan show (M for the next)")
        self._channels: tuple[MapChannel, ...] = ()
        self._distances = True
        self._fill()
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setValue(100)
        self._opacity.setAccessibleName("Opacity of the anomaly overlay")
        self._opacity.setToolTip("Opacity of the anomaly overlay")
        scroll_past(self._opacity)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view, 3)
        layout.addWidget(self._opacity, 2)
        self._view.currentIndexChanged.connect(lambda: self.view_changed.emit(self.view))
        self._opacity.valueChanged.connect(lambda percent: self.opacity_changed.emit(percent / 100))

    @property
    def view(self) -> View:
        """What the colours show."""
        chosen: View = self._view.currentData()
        return chosen

    @property
    def view_box(self) -> QComboBox:
        """The choices; each item's user data is its `View`."""
        return self._view

    @property
    def opacity_slider(self) -> QSlider:
        """Opacity in percent."""
        return self._opacity

    def show_opacity(self, opacity: float) -> None:
        """Follows an opacity that was chosen elsewhere, 0 to 1; emits nothing."""
        with QSignalBlocker(self._opacity):
            self._opacity.setValue(round(100 * opacity))

    def show_channels(self, channels: tuple[MapChannel, ...], *, distances: bool = True) -> None:
        """Offers what a map is joined from; emits nothing.

        Args:
            channels: `AnomalyMap.channels`. What is chosen stays chosen where it is still offered, else
                the joined map is.
            distances: Whether there are the published distances: not of a teacher alone.
        """
        if (channels, distances) == (self._channels, self._distances):
            return
        with QSignalBlocker(self._view):
            chosen = _kind(self.view)
            self._channels, self._distances = channels, distances
            self._fill()
            kinds = [_kind(self._view.itemData(row)) for row in range(self._view.count())]
            self._view.setCurrentIndex(kinds.index(chosen) if chosen in kinds else 0)

    def step(self, by: int) -> None:
        """Chooses the next map, or the one before, as the user would; the last is followed by the first."""
        self._view.setCurrentIndex((self._view.currentIndex() + by) % self._view.count())

    def choose(self, view: View) -> None:
        """Chooses a map, as the user would."""
        views = [self._view.itemData(row) for row in range(self._view.count())]
        self._view.setCurrentIndex(views.index(view))

    def _fill(self) -> None:
        self._view.clear()
        parts = [ChannelView(channel) for channel in self._channels]
        distances = (MapView.SSD, MapView.TSD) if self._distances else ()
        views: tuple[View, ...] = (MapView.SCORE, *parts, MapView.P_VALUE, *distances)
        for view in views:
            joined = view is MapView.SCORE and bool(parts)
            self._view.addItem(JOINED_TITLE if joined else view.title, view)
            self._view.setItemData(self._view.count() - 1, view.explanation, Qt.ItemDataRole.ToolTipRole)


def _kind(view: View) -> object:
    """What stays the same of a view from one result to the next."""
    return view if isinstance(view, MapView) else (view.channel.name, view.channel.sign)
