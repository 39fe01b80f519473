"""Measures on the picture, and adds findings by hand: joins the tools to the canvas and to the findings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Shapes
from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.export.anatomy import slice_number
from napari_d24fad.findings.finding import Finding
from napari_d24fad.findings.measurements import Measurement, Ruler
from napari_d24fad.findings.words import measurement_words
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.canvas.drawn import Canvas, outlined_on
from napari_d24fad.viewer.canvas.scans import ScanLayers, ShownScan
from napari_d24fad.viewer.reading.halo import add_halo
from napari_d24fad.viewer.reading.measure_layer import (
    Corners,
    extent,
    measure_layer,
    place_in_scan,
    read_shapes,
    show_measurements,
)
from napari_d24fad.viewer.reading.tools import Tool, ToolRow
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.running.workers import Worker

_MODES = {
    Tool.RULER: "add_line",
    Tool.ELLIPSE: "add_ellipse",
    Tool.FINDING: "add_ellipse",
    Tool.OUTLINE: "add_polygon_lasso",
}
_MARKING = (Tool.FINDING, Tool.OUTLINE)
_CLICK_MM = 5.0
"""Radius of what is marked by a click, in mm (pixels without geometry)."""
_A_CLICK = 1.5
"""Voxels: an ellipse that is smaller was a click."""

Measured = tuple[Measurement, ...]


class Measuring(QObject):
    """What is measured in each scan, and the layer that shows it for the scan on the canvas.

    Measurements belong to the findings of a scan as soon as it is examined, with undo and the session.

    Args:
        viewer: The viewer.
        scans: The scan on its canvas.
        view: The result, and what a reader decided of it.
        row: The tools.
        result: Returns the result whose map is on the canvas; None if there is none.
    """

    spoke = Signal(str)
    """Why nothing was measured, or what to do."""

    def __init__(
        self,
        viewer: Viewer,
        scans: ScanLayers,
        view: ResultView,
        row: ToolRow,
        result: Callable[[], AnomalyMap | None],
    ) -> None:
        super().__init__()
        self._result = result
        self._viewer, self._scans, self._view, self._row = viewer, scans, view, row
        self._loose: dict[Series, Measured] = {}
        self._layer: Shapes | None = None
        self._below: ShownScan | None = None
        self._drawn: Measured = ()
        self._tool: Tool | None = None
        self._is_setting = False
        self._worker: Worker | None = None
        row.tool_chosen.connect(self.use)
        row.measurement_requested.connect(self._go_to)
        row.removal_requested.connect(self._remove)
        scans.scan_shown.connect(self._follow_scan)
        scans.removed.connect(self._follow_scan)
        view.verdicts.changed.connect(self._follow_findings)
        self._follow_scan()

    @property
    def layer(self) -> Shapes | None:
        """What measurements are drawn in; None before the first of the scan that is shown."""
        return self._layer if self._layer is not None and self._layer in self._viewer.layers else None

    @property
    def is_drawing(self) -> bool:
        """Whether a tool is in use."""
        return self._tool is not None

    @property
    def measurements(self) -> Measured:
        """Of the scan that is shown."""
        shown = self._scans.shown
        if shown is None:
            return ()
        known = self._view.verdicts.findings_of(shown.series)
        return self._loose.get(shown.series, ()) if known is None else known.measurements

    def discard(self) -> None:
        """Stops marking."""
        if self._worker is not None:
            self._worker.discard()
            self._worker = None

    def use(self, tool: Tool | None) -> None:
        """Draws with a tool until something is drawn; None stops."""
        shown = self._scans.shown
        if shown is None or (tool is not None and self._viewer.dims.ndisplay != 2):
            tool = None
        self._tool = tool
        self._row.show_tool(tool)
        if shown is None:
            return
        if tool is None:
            if self.layer is not None:
                self.layer.mode = "pan_zoom"
            self._viewer.layers.selection.active = shown.layer
            return
        layer = self._layer_over(shown)
        layer.visible = True
        self._viewer.layers.selection.active = layer
        layer.mode = _MODES[tool]

    def _layer_over(self, shown: ShownScan) -> Shapes:
        if self.layer is not None:
            return self.layer
        layer = self._layer = measure_layer(shown)
        self._below = shown
        self._viewer.add_layer(layer)
        add_halo(self._row.window(), layer)
        layer.events.data.connect(self._note)
        return layer

    def _note(self, event: Any) -> None:
        """Something was drawn, moved or taken away in the layer: read when napari has done with it."""
        if not self._is_setting and str(getattr(event, "action", "")) in ("added", "removed", "changed"):
            QTimer.singleShot(0, self._read)

    def _read(self) -> None:
        layer, shown = self.layer, self._scans.shown
        if layer is None or shown is None:
            return
        if self._tool in _MARKING and len(layer.data) > len(self._drawn):
            corners, marked = np.asarray(layer.data[-1], np.float64), self._tool
            self._draw(shown, self._drawn)
            self.use(None)
            self._mark(
                shown, _outlined(shown, corners) if marked is Tool.OUTLINE else _rounded(shown, corners)
            )
            return
        found, told = read_shapes(layer, shown)
        self._drawn = ()  # what is drawn is not laid out yet
        self._put(shown.series, tuple(found))
        if told:
            self.spoke.emit(told)
        elif self._tool is not None:
            self.use(None)

    def _put(self, series: Series, measured: Measured) -> None:
        if not self._view.verdicts.measure(series, measured):
            self._loose[series] = measured
            self._follow_findings()

    def _remove(self, at: int) -> None:
        shown, measured = self._scans.shown, self.measurements
        if shown is not None and at < len(measured):
            self._put(shown.series, measured[:at] + measured[at + 1 :])

    def _go_to(self, at: int) -> None:
        measured = self.measurements
        if at < len(measured):
            one, other = np.array(measured[at].first), np.array(measured[at].last)
            middle = one if isinstance(measured[at], Ruler) else (one + other) / 2
            self._scans.go_to((float(middle[0]), float(middle[1]), float(middle[2])))

    def _follow_scan(self) -> None:
        self.discard()
        layer, self._layer, self._drawn = self.layer, None, ()
        if self._tool is not None:
            self._tool = None
            self._row.show_tool(None)
        if layer is not None:
            layer.events.data.disconnect(self._note)
            self._viewer.layers.remove(layer)
        self._follow_findings()

    def _follow_findings(self) -> None:
        """Shows the measurements as they are now: drawn, undone, or of a session that was opened."""
        shown = self._scans.shown
        if shown is None:
            self._row.show_measurements(())
            return
        known = self._view.verdicts.findings_of(shown.series)
        loose = self._loose.pop(shown.series, None) if known is not None else None
        if loose and known is not None:
            self._view.verdicts.measure(shown.series, (*known.measurements, *loose))
            return
        for tool in _MARKING:
            self._row.offer(tool, offered=known is not None)
        measured = self.measurements
        if measured or self.layer is not None:
            active = self._viewer.layers.selection.active
            self._draw(shown, measured)
            self._viewer.layers.selection.active = active
        self._row.show_measurements([_line(each, shown) for each in measured])

    def _draw(self, shown: ShownScan, measured: Measured) -> None:
        layer = self._layer_over(shown)
        if measured == self._drawn and len(layer.data) == len(measured):
            return
        self._is_setting = True
        try:
            show_measurements(layer, shown, measured)
        finally:
            self._is_setting = False
        self._drawn = measured

    def _mark(self, shown: ShownScan, mask: Callable[[], BoolArray]) -> None:
        """Makes a finding of what was drawn, in the background."""
        anomaly = self._result()

        def work(progress: Progress, cancel: CancelToken) -> Finding:
            from napari_d24fad.findings.making import by_hand

            return by_hand(shown.scan, mask(), anomaly)

        self.discard()
        self._worker = Worker(work)
        self._worker.returned.connect(partial(self._view.verdicts.add_by_hand, shown.series))
        self._worker.failed.connect(lambda error: self.spoke.emit(str(error)))
        self._worker.start()


def _rounded(shown: ShownScan, corners: Corners) -> Callable[[], BoolArray]:
    """Returns what reads an ellipse, or a sphere around a click, on the grid of the scan."""
    places = np.array([place_in_scan(shown, corner) for corner in corners])
    centre = [float(each) for each in (places.min(axis=0) + places.max(axis=0)) / 2]
    radii = [_CLICK_MM] * 3
    if extent(corners) >= _A_CLICK:
        radii = [float(each) for each in np.ptp(places, axis=0) / 2 * np.array(shown.scan.spacing)]

    def read() -> BoolArray:
        from napari_d24fad.findings.making import ellipsoid

        return ellipsoid(shown.scan, centre, radii)

    return read


def _outlined(shown: ShownScan, corners: Corners) -> Callable[[], BoolArray]:
    """Returns what reads the inside of an outline, likewise."""
    return outlined_on(corners, Canvas.of(shown)).read


def _line(measurement: Measurement, shown: ShownScan) -> str:
    kind = "Ruler" if isinstance(measurement, Ruler) else "Ellipse"
    told = f"{kind}: {measurement_words(measurement, shown.scan)}"
    if not shown.scan.is_volume:
        return told
    at = round(measurement.first[shown.scan.slice_axis])
    return f"{told}, slice {slice_number(shown.scan, at)}"
