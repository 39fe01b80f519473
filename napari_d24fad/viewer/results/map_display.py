"""Shows the map that is chosen, in its colours; what takes a moment per slice comes when it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject

from napari_d24fad.detection.result import AnomalyMap, FloatArray, MapChannel
from napari_d24fad.errors import Cancelled
from napari_d24fad.findings.finding import Mask
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.canvas.map_view import ChannelView, MapView
from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.results.map_drawing import MapDrawing
from napari_d24fad.viewer.results.panel import ResultsPanel
from napari_d24fad.viewer.running.workers import Worker

if TYPE_CHECKING:
    from napari_d24fad.detection.published import Distance

Limits = tuple[float, float]

_NONE = np.zeros((0, 0, 0), np.float32)
_SMALLEST_RANGE = 1.5
"""As of scores: the scale ends no lower than this many times where it begins."""


class MapDisplay(QObject):
    """One map at a time: scores, a part of them, p-values, or one of the two distances.

    Args:
        session: Draws the distances.
        maps: The layer.
        panel: Where the map and its threshold are chosen.
    """

    def __init__(self, session: DetectionSession, maps: ResultLayers, panel: ResultsPanel) -> None:
        super().__init__()
        self._session, self._maps, self._panel = session, maps, panel
        self._drawing: MapDrawing | None = None
        self._worker: Worker | None = None
        self._examination: Examination | None = None
        self._query: Series | None = None
        self._slice_index = 0
        self._hidden: tuple[Mask, ...] = ()
        self._read = _Read()

    @property
    def is_busy(self) -> bool:
        """Whether more of the map is to come."""
        at_work = self._worker is not None and not self._worker.is_over
        return at_work or (self._drawing is not None and self._drawing.is_busy)

    def show(self, examination: Examination, slice_index: int) -> None:
        """Shows the map that is chosen.

        Args:
            examination: Whose map.
            slice_index: The slice to draw first, along the slice axis of the scan.
        """
        self.discard()
        if examination.request.query is not self._query:
            self._query, self._hidden = examination.request.query, ()
        self._examination, self._slice_index = examination, slice_index
        view, anomaly = self._panel.view_choice.view, examination.anomaly
        self._panel.explain_colours(view, anomaly)
        if view is MapView.SCORE:
            values = self._read.values(anomaly, self._hidden)
            self._maps.show_values(values, self.score_limits(examination), anomaly)
            return
        # Takes memory only as it is filled; 0 stands for p = 1, or no distance, which is clear.
        values = np.zeros(anomaly.values.shape, np.float32)
        if isinstance(view, ChannelView):
            self._show_channel(view.channel, examination, values)
            return
        if view is MapView.P_VALUE:
            read = replace(anomaly, values=self._read.values(anomaly, self._hidden))
            draw = partial(_draw_p_values, read, values)
        else:
            distance: Distance = "SSD" if view is MapView.SSD else "TSD"
            draw = partial(self._session.draw_distance, examination, distance, values)
        drawing = self._drawing = MapDrawing(values, examination.scan.n_slices, draw)
        drawing.drawn.connect(self._show_drawn)
        self.look_at(slice_index)
        self._show_drawn()
        drawing.start(slice_index)

    def look_at(self, slice_index: int) -> None:
        """The slice that is looked at does not wait for the others."""
        self._slice_index = slice_index
        if self._drawing is None:
            return
        self._drawing.want(slice_index)
        if self._panel.view_choice.view is MapView.P_VALUE:
            self._drawing.draw_now(slice_index)
            self._maps.refresh()

    def hide(self, masks: Sequence[Mask]) -> None:
        """Leaves places clear, whatever the map shows there: what a reader rejected.

        The distances are drawn whole: they have no regions.
        """
        hidden = tuple(masks)
        if [id(each.voxels) for each in hidden] == [id(each.voxels) for each in self._hidden]:
            return
        if len(hidden) > len(self._hidden):
            self._maps.unmark()  # the ring is around what was just rejected
        self._hidden = hidden
        view = self._panel.view_choice.view
        if self._examination is not None and view not in (MapView.SSD, MapView.TSD):
            self.show(self._examination, self._slice_index)

    def show_limits(self, examination: Examination) -> None:
        """Colours the map from the threshold that is chosen."""
        view = self._panel.view_choice.view
        self._panel.explain_colours(view, examination.anomaly)
        if view is MapView.SCORE:
            self._maps.set_limits(self.score_limits(examination))
        elif self._drawing is not None:
            self._maps.set_limits(self._drawn_limits(self._drawing, examination))

    def score_limits(self, examination: Examination) -> Limits:
        """Returns the ends of the colour scale of scores."""
        level = self._panel.threshold.level
        return level, max(examination.limits[1], level * (1 + 1e-3), level + 1e-6)

    def _show_channel(self, channel: MapChannel, examination: Examination, nothing: FloatArray) -> None:
        """Shows one of the maps that the map is joined from; nothing until it is there.

        It is made from the coarse grid each time: kept for a large scan, all would take gigabytes.
        """
        self._maps.show_values(nothing, _channel_limits(channel, 0.0), examination.anomaly)

        def work(progress: Progress, cancel: CancelToken) -> tuple[FloatArray, float]:
            held = self._session.held(examination)
            if held is None:
                raise Cancelled
            cancel.check()
            values = held.channel_map(channel)
            return values, float(np.nanmax(values, initial=0.0))

        def show(found: tuple[FloatArray, float]) -> None:
            values, highest = found
            if not channel.beside:
                for mask in self._hidden:
                    values[mask.box][mask.voxels] = np.nan
            self._maps.show_values(values, _channel_limits(channel, highest), examination.anomaly)

        def drop() -> None:  # clear would read as normal
            self._panel.view_choice.choose(MapView.SCORE)
            self.show(examination, 0)

        self._worker = Worker(work)
        self._worker.returned.connect(show)
        self._worker.failed.connect(drop)
        self._worker.cancelled.connect(drop)
        self._worker.start()

    def discard(self) -> None:
        """Stops drawing."""
        self._examination = None
        if self._worker is not None:
            self._worker.discard()
            self._worker = None
        if self._drawing is not None:
            self._drawing.discard()
            self._drawing = None

    def cancel(self) -> None:
        """Stops a map that is being made and shows the scores again: what is clear would read as normal."""
        if self.is_busy:
            self.discard()
            self._panel.view_choice.choose(MapView.SCORE)

    def _show_drawn(self) -> None:
        if self._drawing is not None and self._examination is not None:
            limits = self._drawn_limits(self._drawing, self._examination)
            self._maps.show_values(self._drawing.values, limits, self._examination.anomaly)

    def _drawn_limits(self, drawing: MapDrawing, examination: Examination) -> Limits:
        if self._panel.view_choice.view is not MapView.P_VALUE:
            return 0.0, max(drawing.highest, 1e-6)
        calibration = examination.anomaly.calibration
        if calibration is None:
            return 0.0, 1.0
        ends = calibration.p_values(np.array(self.score_limits(examination), np.float32))
        low, high = (float(end) for end in -np.log10(ends))
        return low, max(high, low + 1e-3)


class _Read:
    """The values of a map without what is rejected: one copy, in which little changes."""

    def __init__(self) -> None:
        self._anomaly: AnomalyMap | None = None
        self._values: FloatArray = _NONE
        self._cleared: tuple[Mask, ...] = ()

    def values(self, anomaly: AnomalyMap, hidden: tuple[Mask, ...]) -> FloatArray:
        """Returns them; the map's own as long as nothing is hidden."""
        if not hidden:
            self._anomaly, self._values = None, _NONE
            return anomaly.values
        if self._anomaly is not anomaly:
            self._anomaly, self._values, self._cleared = anomaly, anomaly.values.copy(), ()
        for mask in self._cleared:
            self._values[mask.box] = anomaly.values[mask.box]
        for mask in hidden:
            self._values[mask.box][mask.voxels] = np.nan
        self._cleared = hidden
        shown = self._values.view()
        shown.flags.writeable = False  # or a slice that is scored again would be written into it
        return shown


def _channel_limits(channel: MapChannel, highest: float) -> Limits:
    """Returns the ends of the colour scale of a part of the map: its own, clear where scans are normal."""
    return channel.level, max(highest, _SMALLEST_RANGE * channel.level, channel.level + 1e-3)


def _draw_p_values(anomaly: AnomalyMap, values: FloatArray, slices: range, _: CancelToken) -> float:
    """Writes -log10 of the p-values of a few slices into an array as large as the map."""
    place = (slice(None),) * anomaly.slice_axis + (slice(slices.start, slices.stop),)
    if anomaly.calibration is not None:
        values[place] = -np.log10(anomaly.calibration.p_values(anomaly.values[place]))
    return float(values[place].max())
