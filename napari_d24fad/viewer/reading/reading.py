"""Joins what reads the picture to the canvas and to the dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.viewer import Viewer
from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtGui import QKeyEvent

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.session.request import Examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.viewer.canvas.layer_data import RESULT_KEY
from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.examining import Examining
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.linked.linked_views import LinkedViews
from napari_d24fad.viewer.reading.bar import ReadingBar
from napari_d24fad.viewer.reading.canvas_text import CanvasText
from napari_d24fad.viewer.reading.cursor import CursorReading
from napari_d24fad.viewer.reading.keys import CanvasKeys
from napari_d24fad.viewer.reading.measuring import Measuring
from napari_d24fad.viewer.reading.outlines import Outlines
from napari_d24fad.viewer.reading.standing import Standing
from napari_d24fad.viewer.reading.windowing import Windowing
from napari_d24fad.viewer.results.panel import ResultsPanel
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.running.run_panel import RunPanel
from napari_d24fad.viewer.running.workers import stop_timer
from napari_d24fad.viewer.warming import warm_up

if TYPE_CHECKING:
    from napari_d24fad.detection.references.regions import Region

_DRAWN_MS = 20
"""The canvas is drawn between two overlays that are made."""


class Reading(QObject):
    """Window, letters and what is under the cursor, for the scan on the canvas.

    Args:
        viewer: The viewer.
        scans: The scan on its canvas.
        maps: What lies over it.
        gallery: The scans that are open.
        session: Has the references of the result.
        examining: Has the result.
        view: The result, and what a reader decided of it.
        results: Where the look of the map is chosen.
        run_panel: Where the window is chosen that is examined.
    """

    def __init__(
        self,
        viewer: Viewer,
        scans: ScanLayers,
        maps: ResultLayers,
        gallery: Gallery,
        session: DetectionSession,
        examining: Examining,
        view: ResultView,
        results: ResultsPanel,
        run_panel: RunPanel,
    ) -> None:
        super().__init__()
        self._scans, self._maps, self._examining = scans, maps, examining
        self._under_cursor, self._is_gone = "", False
        self.bar = ReadingBar()
        self.text = CanvasText(viewer)
        self.windowing = Windowing(
            viewer, scans, self.bar.window, run_panel.ct_window, lambda: gallery.series
        )
        self.standing = Standing(viewer, scans, self.text)
        self.cursor = CursorReading(viewer, scans, self._result)
        self.measuring = Measuring(viewer, scans, view, self.bar.tools, self._result)
        self.measuring.spoke.connect(run_panel.show_note)
        self.outlines = Outlines(viewer, scans, maps, view, results, self._result)
        self.linked = LinkedViews(
            viewer, scans, maps, session, self._examined, lambda: results.look.is_outlined, self.bar.views
        )
        results.look.outlined_changed.connect(self.linked.renew)
        results.regions.region_requested.connect(self._cross_at)
        examining.examined.connect(self.linked.renew)
        self.windowing.changed.connect(self.linked.renew)
        self.cursor.moved.connect(self.linked.follow_cursor)
        self._keys = CanvasKeys(viewer, scans, self.press_key)
        self.windowing.changed.connect(self._write)
        self.cursor.read.connect(self._tell)
        scans.removed.connect(self._write)
        scans.scan_shown.connect(self._write)
        self._write()
        self._at_rest = QTimer(self)
        self._at_rest.setInterval(_DRAWN_MS)
        self._at_rest.timeout.connect(self._make_ready)
        self._at_rest.start()
        warm_up()

    def discard(self) -> None:
        """Lets go of the viewer: letters that no longer follow it would be wrong."""
        if self._is_gone:
            return
        self._is_gone = True
        stop_timer(self._at_rest)
        self.windowing.stop()
        self.measuring.discard()
        self.outlines.discard()
        self.linked.stop()
        self._keys.stop()
        self.standing.stop()
        self.cursor.stop()
        self.text.stop()

    def press(self, event: QKeyEvent) -> bool:
        """Takes a key that was pressed in the dock; returns whether it is one of these."""
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        return self.press_key(event.text().upper())

    def press_key(self, key: str) -> bool:
        """Chooses a window by a digit or a tool by a letter; returns whether it is one of these."""
        if self._scans.shown is None:
            return False
        if key.isdecimal():
            return self.windowing.press(int(key))
        return self.bar.tools.press(key) or self.bar.views.press(key)

    def end(self) -> None:
        """Draws no more."""
        if self._scans.shown is not None and self.measuring.is_drawing:
            self.measuring.use(None)

    def _cross_at(self, region: Region) -> None:
        """Moves the crosshair of all planes to the highest place of a region, not the slice alone."""
        shown = self._scans.shown
        if shown is not None and self._examined() is not None:
            *across, row, column = shown.layer_index(region.peak_index)
            self.linked.go_to((across[0] if across else 0.0, row, column))

    def _result(self) -> AnomalyMap | None:
        """The result whose map is on the canvas."""
        layer = self._maps.result_layer
        return None if layer is None else layer.metadata.get(RESULT_KEY)

    def _examined(self) -> Examination | None:
        """The same with its request, if it is of the scan on the canvas."""
        found, shown = self._examining.examination, self._scans.shown
        is_shown = found is not None and shown is not None and found.request.query is shown.series
        return found if is_shown and self._result() is not None else None

    def _tell(self, told: str) -> None:
        self._under_cursor = told
        self._write()

    def _make_ready(self) -> None:
        if not self.text.make_next():
            self._at_rest.stop()

    def _write(self) -> None:
        if self._is_gone:
            return
        is_shown = self._scans.shown is not None
        self.bar.setVisible(is_shown)
        told = self._under_cursor if is_shown else ""
        self.bar.show_cursor(told)
        self.text.show_lines((*told.split(", "), self.windowing.text if is_shown else ""))
