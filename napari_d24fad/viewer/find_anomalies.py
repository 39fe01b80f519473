"""What the plugin menu opens: a frame for the dock widget, which outlives it."""

from __future__ import annotations

from functools import partial
from weakref import WeakSet

from napari.viewer import Viewer
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QSizePolicy, QVBoxLayout, QWidget

from napari_d24fad.viewer.dock import DetectionDock

_AREAS = {
    Qt.DockWidgetArea.LeftDockWidgetArea: "left",
    Qt.DockWidgetArea.TopDockWidgetArea: "top",
    Qt.DockWidgetArea.BottomDockWidgetArea: "bottom",
}

_put_away: WeakSet[DetectionDock] = WeakSet()


class FindAnomalies(QWidget):
    """Shows the `DetectionDock` of a viewer.

    napari destroys a plugin's widget when its ✕ is clicked. The dock with its studies, marks and result is
    then kept, hidden in the viewer's window, goes on with what it does, and is shown when the plugin is
    opened again. It goes when the viewer is closed. With unsaved work it asks whether to save that.

    Args:
        napari_viewer: The viewer.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._docked_in: QWidget | None = None
        self.dock = _kept_dock(napari_viewer) or DetectionDock(napari_viewer)
        _put_away.discard(self.dock)
        # Else napari puts a stretch below the dock.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.dock)
        self.dock.show()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Keeps the dock when napari takes this widget out of its window."""
        super().changeEvent(event)
        if event.type() != QEvent.Type.ParentChange:
            return
        before, self._docked_in = self._docked_in, self.parent()
        if self._docked_in is not None or not isinstance(before, QDockWidget):
            return
        window = before.parent()
        if isinstance(window, QMainWindow):
            self.dock.setParent(window)  # this hides the dock, and the window destroys it when it closes
            _put_away.add(self.dock)
            area = _AREAS.get(window.dockWidgetArea(before), "right")
            # When napari has done with it.
            QTimer.singleShot(0, partial(_ask, self.dock, before.windowTitle(), area))


def _ask(dock: DetectionDock, title: str, area: str) -> None:
    """Asks about unsaved work, and docks it again where it was if the user would rather go on."""
    if isalive(dock) and dock in _put_away and dock.window().isVisible() and not dock.unsaved.ask_of_closed():
        dock.viewer.window.add_dock_widget(FindAnomalies(dock.viewer), name=title, area=area)


def _kept_dock(viewer: Viewer) -> DetectionDock | None:
    """Returns the dock of this viewer that was put away."""
    for dock in _put_away:
        # Plugins get a new proxy of the viewer each time; only the window tells two viewers apart.
        if isalive(dock) and dock.viewer.window == viewer.window:
            return dock
    return None
