"""Keys on the canvas, while a scan or its map is the active layer: in other layers they choose tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.layers import Image
from napari.viewer import Viewer
from qtpy.QtCore import QObject

from napari_d24fad.viewer.canvas.layer_data import RESULT_KEY
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.reading.weakly import weakly

KEYS = "123456789DEIOPB"


class CanvasKeys(QObject):
    """Binds keys to the layers of a scan and of its map.

    Args:
        viewer: The viewer.
        scans: The scan on its canvas.
        press: Bound method; gets the digit or the capital letter.
    """

    def __init__(self, viewer: Viewer, scans: ScanLayers, press: Callable[[str], Any]) -> None:
        super().__init__()
        self._viewer, self._scans, self._press = viewer, scans, weakly(press)
        viewer.layers.events.inserted.connect(self._bind_map)
        scans.scan_shown.connect(self._bind_scan)

    def stop(self) -> None:
        """Follows the viewer no longer."""
        self._viewer.layers.events.inserted.disconnect(self._bind_map)

    def _bind_scan(self) -> None:
        if self._scans.shown is not None:
            self._bind(self._scans.shown.layer)

    def _bind_map(self, event: Any) -> None:
        if RESULT_KEY in event.value.metadata:
            self._bind(event.value)

    def _bind(self, layer: Image) -> None:
        for key in KEYS:
            layer.bind_key(key, _calling(self._press, key), overwrite=True)


def _calling(press: Callable[[str], Any], key: str) -> Callable[[Any], None]:
    def read_picture(_layer: Any) -> None:  # napari asks for its name
        press(key)

    return read_picture
