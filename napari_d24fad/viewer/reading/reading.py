"""Joins what reads the picture to the canvas and to the dock."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeyEvent

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.viewer.canvas.layer_data import RESULT_KEY
from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.reading.bar import ReadingBar
from napari_d24fad.viewer.reading.canvas_text import CanvasText
from napari_d24fad.viewer.reading.cursor import CursorReading
from napari_d24fad.viewer.reading.standing import Standing
from napari_d24fad.viewer.reading.windowing import Windowing
from napari_d24fad.viewer.running.run_panel import RunPanel


class Reading(QObject):
    """Window, letters and what is under the cursor, for the scan on the canvas.

    Args:
        viewer: The viewer.
        scans: The scan on its canvas.
        maps: What lies over it.
        gallery: The scans that are open.
        run_panel: Where the window is chosen that is examined.
    """

    def __init__(
        self,
        viewer: Viewer,
        scans: ScanLayers,
        maps: ResultLayers,
        gallery: Gallery,
        run_panel: RunPanel,
    ) -> None:
        super().__init__()
        self._scans, self._maps = scans, maps
        self._under_cursor, self._is_gone = "", False
        self.bar = ReadingBar()
        self.text = CanvasText(viewer)
        self.windowing = Windowing(
            viewer, scans, self.bar.window, run_panel.ct_window, lambda: gallery.series
        )
        self.standing = Standing(viewer, scans, self.text)
        self.cursor = CursorReading(viewer, scans, self._result)
        self.windowing.changed.connect(self._write)
        self.cursor.read.connect(self._tell)
        scans.removed.connect(self._write)
        scans.scan_shown.connect(self._write)
        self._write()

    def discard(self) -> None:
        """Lets go of the viewer: letters that no longer follow it would be wrong."""
        if self._is_gone:
            return
        self._is_gone = True
        self.windowing.stop()
        self.standing.stop()
        self.cursor.stop()
        self.text.stop()

    def press(self, event: QKeyEvent) -> bool:
        """Takes a key that was pressed in the dock; returns whether it is one of these."""
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier or not event.text().isdecimal():
            return False
        return self.windowing.press(int(event.text()))

    def _result(self) -> AnomalyMap | None:
        """The result whose map is on the canvas."""
        layer = self._maps.result_layer
        return None if layer is None else layer.metadata.get(RESULT_KEY)

    def _tell(self, told: str) -> None:
        self._under_cursor = told
        self._write()

    def _write(self) -> None:
        if self._is_gone:
            return
        is_shown = self._scans.shown is not None
        self.bar.setVisible(is_shown)
        told = self._under_cursor if is_shown else ""
        self.bar.show_cursor(told)
        self.text.show_lines((*told.split(", "), self.windowing.text if is_shown else ""))
