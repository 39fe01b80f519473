"""Keeps the picture upright by the patient however its axes are rolled, and the letters at its edges true."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import QObject

from napari_d24fad.viewer.canvas.planes import edge_letters_of, is_on_its_side, upright_orientation
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.reading.canvas_text import CanvasText

Order = tuple[int, ...]


class Standing(QObject):
    """Follows the axes of a viewer.

    napari rolls axes (Ctrl+E) without asking which way is up. Here the head is up in every cut, or the front
    in an axial one. Axes that are exchanged on purpose (Ctrl+T) stay so; the letters tell.

    Args:
        viewer: The viewer.
        scans: The scan on its canvas.
        text: Gets the letters.
    """

    def __init__(self, viewer: Viewer, scans: ScanLayers, text: CanvasText) -> None:
        super().__init__()
        self._viewer, self._scans, self._text = viewer, scans, text
        self._asked: Order = self._order
        """The order of axes as napari would have rolled it."""
        self._set: Order = self._order
        self._is_setting = False
        dims, camera = viewer.dims, viewer.scene.camera
        self._events = (dims.events.order, dims.events.ndisplay)
        self._camera_events = camera.events.orientation
        for event in self._events:
            event.connect(self._follow)
        self._camera_events.connect(self._letter)
        scans.scan_shown.connect(self._follow)
        scans.removed.connect(self._letter)
        self._follow()

    def stop(self) -> None:
        """Follows the viewer no longer."""
        for event in self._events:
            event.disconnect(self._follow)
        self._camera_events.disconnect(self._letter)

    @property
    def _order(self) -> Order:
        return tuple(int(axis) for axis in self._viewer.dims.order)

    def _follow(self, _event: Any = None) -> None:
        shown = self._scans.shown
        if self._is_setting or shown is None:
            self._letter()
            return
        self._is_setting = True
        try:
            self._turn()
            self._viewer.scene.camera.orientation2d = upright_orientation(self._viewer, shown.layer)
        finally:
            self._is_setting = False
        self._letter()

    def _turn(self) -> None:
        """Exchanges the displayed axes where a roll laid the patient on the side."""
        shown, now = self._scans.shown, self._order
        if shown is None or self._viewer.dims.ndisplay != 2:
            return
        if now == self._set:
            asked = self._asked
        elif len(now) == len(self._set) and now == tuple(np.roll(self._set, 1).tolist()):
            asked = tuple(np.roll(self._asked, 1).tolist())
            self._viewer.dims.order = asked
        else:
            asked = now
            if now == (*self._set[:-2], self._set[-1], self._set[-2]):  # exchanged on purpose
                self._asked = self._set = now
                return
        self._asked = asked
        if is_on_its_side(self._viewer, shown.layer):
            self._viewer.dims.order = (*asked[:-2], asked[-1], asked[-2])
        self._set = self._order

    def _letter(self, _event: Any = None) -> None:
        shown = self._scans.shown
        self._text.show_letters(None if shown is None else edge_letters_of(self._viewer, shown.layer))
