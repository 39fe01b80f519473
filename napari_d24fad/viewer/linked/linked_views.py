"""Keeps other views in step with the canvas: slice, window, zoom, map and cursor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import ref

import numpy as np
from napari.layers import Image
from napari.viewer import Viewer
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer

from napari_d24fad.session.request import Examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.canvas.scans import ScanLayers, ShownScan
from napari_d24fad.viewer.linked.box import ViewsBox
from napari_d24fad.viewer.linked.cut import Cut, Index
from napari_d24fad.viewer.linked.drawing import CutDrawing, cut_of, place_in, volume_of
from napari_d24fad.viewer.linked.references import BestReference, ReferenceSlice
from napari_d24fad.viewer.linked.row import Views, ViewsRow
from napari_d24fad.viewer.linked.slice_view import SliceView
from napari_d24fad.viewer.running.workers import stop_timer

_FITS, _SETTLED_MS = 1.1, 600
_LOOKS = ("set_data", "contrast_limits", "opacity", "colormap", "gamma", "visible")
_PLANES = ("Axial", "Coronal", "Sagittal")
_NO_SLICE = "The canvas shows no slice of the scan."
_NO_RESULT = "There is no result to compare."
_READING = "Looking for the most similar reference…"


class LinkedViews(QObject):
    """Three views below the canvas.

    Args:
        viewer: The viewer.
        scans: The scan on its canvas.
        maps: The map over it.
        session: Has the references of the result.
        examination: Returns the result whose map is on the canvas; None if there is none.
        is_outlined: Returns whether regions are outlined and not filled.
        row: Opens and closes the views.
    """

    def __init__(
        self,
        viewer: Viewer,
        scans: ScanLayers,
        maps: ResultLayers,
        session: DetectionSession,
        examination: Callable[[], Examination | None],
        is_outlined: Callable[[], bool],
        row: ViewsRow,
    ) -> None:
        super().__init__()
        self._viewer, self._scans, self._maps, self._row = viewer, scans, maps, row
        self._examination = examination
        self._drawing = CutDrawing(viewer, maps, is_outlined)
        self._open: Views | None = None
        self._is_ending = False
        self._box: ViewsBox | None = None
        self.views: tuple[SliceView, ...] = ()
        self._cuts: tuple[Cut | None, ...] = ()
        self._place: Index = (0.0, 0.0, 0.0)
        self._map: Image | None = None
        self._reference: ReferenceSlice | str = _READING
        self._asked: tuple[ref[Examination], int] | None = None
        self.best = BestReference(session)
        self.best.found.connect(self._take_reference)
        self.best.failed.connect(self._take_reference)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._draw)
        dims, camera = viewer.dims.events, viewer.scene.camera.events
        self._events = (dims.point, dims.order, dims.ndisplay, camera.zoom, camera.center)
        for event in self._events:
            event.connect(self.renew)
        viewer.layers.events.inserted.connect(self.renew)
        viewer.layers.events.removed.connect(self.renew)
        scans.scan_shown.connect(self._follow_scan)
        scans.scan_filled.connect(self.renew)
        scans.removed.connect(self.renew)
        row.chosen.connect(self.show)
        self._follow_scan()

    def stop(self) -> None:
        """Follows the viewer no longer, and closes the views."""
        self._is_ending = True
        stop_timer(self._timer)
        for event in self._events:
            event.disconnect(self.renew)
        self._viewer.layers.events.inserted.disconnect(self.renew)
        self._viewer.layers.events.removed.disconnect(self.renew)
        self._follow_map(None)
        self._close()

    def show(self, views: Views | None) -> None:
        """Shows views below the canvas in place of others; None closes them."""
        self._close()
        self._open = views
        self._row.show_chosen(views)
        if views is None:
            return
        shown = self._scans.shown
        if shown is not None and self._drawing.zoom(shown) <= _FITS:  # it shall fit the lower canvas as well
            self._viewer.canvas.events.size.connect(self._fit)
            QTimer.singleShot(_SETTLED_MS, self._fit_no_more)
        self._box = ViewsBox()
        self.views = self._box.views
        for at, view in enumerate(self.views):
            view.pointed.connect(partial(self._point, at))
            view.hovered.connect(partial(self._hover, at))
            view.turned.connect(partial(self._leaf, at))
        self._box.put_away.connect(self._lose)
        self._viewer.window.add_dock_widget(self._box, name=views.value, area="bottom")
        self._asked = None
        self.renew()

    def _fit(self) -> None:
        self._viewer.reset_view()

    def _fit_no_more(self) -> None:
        self._viewer.canvas.events.size.disconnect(self._fit)

    def renew(self, _event: Any = None) -> None:
        """Draws the views again, soon."""
        if self._open is not None and not self._timer.isActive():
            self._timer.start()
        elif self._open is None:
            self._offer()

    def follow_cursor(self, world: tuple[float, ...] | None) -> None:
        """Marks in every view the place that the mouse points at on the canvas; None for none."""
        shown = self._scans.shown
        if self._open is not None and shown is not None:
            self._mark(None if world is None else place_in(shown.layer, world))

    def _mark(self, place: Index | None, but: int | None = None) -> None:
        shown = self._scans.shown
        if shown is None:
            return
        for at, (view, cut) in enumerate(zip(self.views, self._cuts, strict=False)):
            hidden = place is None or cut is None or view.drawn is None or at == but
            view.show_cursor(None if hidden else cut.in_picture(place, volume_of(shown.layer).shape))  # type: ignore[union-attr, arg-type]

    def _close(self) -> None:
        box, self._box, self._open = self._box, None, None
        self.views, self._cuts = (), ()
        self.best.forget()
        if box is not None and isalive(box):
            box.put_away.disconnect(self._lose)
            frame = box.parent()
            if frame is not None and not self._is_ending:  # else the window takes it along
                self._viewer.window.remove_dock_widget(frame)
            box.setParent(None)
            box.deleteLater()
            if self._is_ending and frame is not None:
                frame.deleteLater()

    def _lose(self) -> None:
        """The user closed them."""
        self._close()
        if isalive(self._row):
            self._row.show_chosen(None)

    def _follow_scan(self) -> None:
        shown = self._scans.shown
        self._asked = None
        if shown is not None:
            middle = [(size - 1) / 2 for size in volume_of(shown.layer).shape[:3]]
            self._place = (middle[0], middle[1], middle[2])
        self._offer()
        self.renew()

    def _offer(self) -> None:
        shown = self._scans.shown
        is_volume = shown is not None and shown.layer.ndim == 3 and min(shown.scan.grid) > 1
        self._row.offer(Views.PLANES, offered=is_volume or self._open is Views.PLANES)
        self._row.offer(Views.COMPARE, offered=self._examination() is not None or self._open is Views.COMPARE)

    def _follow_map(self, layer: Image | None) -> None:
        if layer is self._map:
            return
        before, self._map = self._map, layer
        for name in _LOOKS:
            if before is not None:
                getattr(before.events, name).disconnect(self.renew)
            if layer is not None:
                getattr(layer.events, name).connect(self.renew)

    def _draw(self) -> None:
        shown = self._scans.shown
        self._follow_map(self._maps.result_layer)
        self._offer()
        if self._open is None or not self.views:
            return
        if shown is None or (self._open is Views.PLANES and shown.layer.ndim != 3):
            self._say(_NO_SLICE)
            return
        self._follow_place(shown)
        if self._open is Views.PLANES:
            self._draw_planes(shown)
        else:
            self._draw_beside(shown)

    def _follow_place(self, shown: ShownScan) -> None:
        """The sliders say where the cut on the canvas is; where it is not, the crosshair stays."""
        dims, place = self._viewer.dims, list(self._place)
        at, shape = place_in(shown.layer, dims.point), volume_of(shown.layer).shape
        for axis in range(3):
            if dims.ndim - 3 + axis not in dims.displayed:
                place[axis] = float(np.clip(round(at[axis]), 0, shape[axis] - 1))
        self._place = (place[0], place[1], place[2])

    def _draw_planes(self, shown: ShownScan) -> None:
        cuts = [cut_of(shown, axis) for axis in range(3)]
        cuts.sort(key=lambda cut: _PLANES.index(cut.name) if cut.name else 0)
        self._cuts = tuple(cuts)
        for view, cut in zip(self.views, cuts, strict=True):
            name = cut.name or f"Across axis {cut.across + 1}"
            view.show_drawn(self._drawing.cut(shown, cut, self._place, name, with_map=True))

    def _draw_beside(self, shown: ShownScan) -> None:
        examination, on_canvas = self._examination(), self._scans.slice_on_canvas
        if examination is None or on_canvas is None:
            self._say(_NO_SLICE if examination is not None else _NO_RESULT)
            return
        slice_index = int(shown.slice_order[on_canvas])
        cut = cut_of(shown, shown.slice_axis)
        query, reference, result = self.views
        query.show_drawn(self._drawing.cut(shown, cut, self._place, "Scan that is examined", with_map=False))
        result.show_drawn(self._drawing.cut(shown, cut, self._place, "Map", with_map=True))
        if self._asked is None or self._asked[0]() is not examination or self._asked[1] != slice_index:
            self._asked = ref(examination), slice_index
            self._reference = _READING
            self.best.want(examination, slice_index)
        found, aligned = self._reference, False
        if isinstance(found, str):
            reference.show_drawn(None, found)
        else:
            aligned = found.is_aligned
            reference.show_drawn(self._drawing.reference(shown, cut, self._place, found))
        self._cuts = (cut, cut if aligned else None, cut)

    def _take_reference(self, found: ReferenceSlice | str) -> None:
        self._reference = found
        self.renew()

    def _say(self, text: str) -> None:
        self._cuts = (None, None, None)
        for view in self.views:
            view.show_drawn(None, text)

    def _in_array(self, at: int, row: float, column: float) -> Index | None:
        shown, cut = self._scans.shown, self._cuts[at] if at < len(self._cuts) else None
        if shown is None or cut is None:
            return None
        return cut.in_array((row, column), self._place[cut.across], volume_of(shown.layer).shape)

    def _point(self, at: int, row: float, column: float) -> None:
        place = self._in_array(at, row, column)
        if place is not None:
            self.go_to(place)

    def _hover(self, at: int, row: float, column: float) -> None:
        self._mark(self._in_array(at, row, column), but=at)

    def _leaf(self, at: int, steps: int) -> None:
        shown, cut = self._scans.shown, self._cuts[at] if at < len(self._cuts) else None
        if shown is None or cut is None:
            return
        place = list(self._place)
        last = volume_of(shown.layer).shape[cut.across] - 1
        place[cut.across] = float(np.clip(place[cut.across] + steps, 0, last))
        self.go_to((place[0], place[1], place[2]))

    def go_to(self, place: Index) -> None:
        """Moves crosshair and sliders to a place of the layer."""
        shown = self._scans.shown
        if shown is None:
            return
        whole = tuple(float(round(each)) for each in place)
        self._place = (whole[0], whole[1], whole[2])
        dims, ndim = self._viewer.dims, shown.layer.ndim
        world = shown.layer.data_to_world(whole[3 - ndim :])
        dims.set_point([dims.ndim - ndim + axis for axis in range(ndim)], [float(each) for each in world])
        self.renew()
