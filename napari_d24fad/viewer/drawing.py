"""Joins what a reader draws in the viewer to what is examined."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from itertools import count
from typing import Any

from napari.layers import Labels, Layer, Shapes
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_d24fad.session.request import Drawn
from napari_d24fad.viewer.canvas.drawn import drawing_on
from napari_d24fad.viewer.canvas.scans import ScanLayers, ShownScan
from napari_d24fad.viewer.running.region_choice import RegionChoice

_NAME = "Examine only here"
_EDITS = ("data", "paint", "labels_update")  # not set_data, which every slice that is shown emits


class RegionDrawing(QObject):
    """The layers of a viewer that a region may be drawn in, and the scan that each was drawn over.

    Args:
        viewer: Whose layers they are.
        scans: Which scan is shown.
        choice: Where one of them is chosen.
    """

    changed = Signal()
    """Another region is to be examined."""
    nothing_shown = Signal()
    """There is no scan to draw on."""

    def __init__(self, viewer: Viewer, scans: ScanLayers, choice: RegionChoice) -> None:
        super().__init__()
        self._viewer, self._scans, self._choice = viewer, scans, choice
        self._numbers = count(1)
        self._layers: dict[int, Layer] = {}
        self._drawn_over: dict[int, ShownScan] = {}
        self._states: dict[int, str] = {}  # another one after each edit, unlike those of other days
        for event in self._events:
            event.connect(self._look)
        choice.region_changed.connect(self._follow)
        choice.draw_requested.connect(self.add_layer)
        self._look()

    def stop(self) -> None:
        """Follows the viewer no longer."""
        for event in self._events:
            event.disconnect(self._look)
        for key in list(self._layers):
            self._forget(key)

    @property
    def region(self) -> Drawn | None:
        """What is drawn in the layer that is chosen; None for the whole anatomy."""
        key = self._choice.key
        shown = None if key is None else self._drawn_over.get(key)
        if key is None or shown is None:
            return None
        through = self._choice.through.isChecked()
        drawing = drawing_on(self._layers[key], shown, through=through)
        state = f"{self._states[key]} {'all slices' if through else 'as drawn'}"
        return Drawn(shown.series, state, drawing.read)

    @property
    def is_lost(self) -> bool:
        """Whether a layer is chosen of which nobody knows the scan that it was drawn on."""
        return self._choice.key is not None and self.region is None

    def add_layer(self) -> None:
        """Adds a layer to draw in, over the scan that is shown, and chooses it."""
        shown = self._scans.shown
        if shown is None:
            self.nothing_shown.emit()
            return
        over = shown.layer
        layer = Shapes(
            ndim=over.ndim, name=_NAME, scale=over.scale, translate=over.translate, units=over.units,
            face_color="transparent", edge_color="yellow", edge_width=1.5,
        )  # fmt: skip
        self._viewer.add_layer(layer)
        layer.mode = "add_rectangle"
        self._choice.choose(next(key for key, own in self._layers.items() if own is layer))

    @property
    def _events(self) -> Iterable[Any]:
        events = self._viewer.layers.events
        return (events.inserted, events.removed)

    def _look(self) -> None:
        """Offers the layers that are there."""
        present = [layer for layer in self._viewer.layers if isinstance(layer, Labels | Shapes)]
        for key in [key for key, layer in self._layers.items() if layer not in present]:
            self._forget(key)
        for layer in present:
            if layer not in self._layers.values():
                key = next(self._numbers)
                self._layers[key] = layer
                for event in self._edit_events(layer):
                    event.connect(self._edit)
        self._choice.offer([(key, layer.name) for key, layer in self._layers.items()])

    def _forget(self, key: int) -> None:
        layer = self._layers.pop(key)
        for event in self._edit_events(layer):
            event.disconnect(self._edit)
        self._drawn_over.pop(key, None)
        self._states.pop(key, None)

    def _edit_events(self, layer: Layer) -> list[Any]:
        return [getattr(layer.events, name) for name in _EDITS if hasattr(layer.events, name)]

    def _edit(self, event: Any) -> None:
        layer = getattr(event, "source", None)
        for key, own in self._layers.items():
            if own is layer:
                self._note(key)
                if key == self._choice.key:
                    self.changed.emit()

    def _follow(self) -> None:
        key = self._choice.key
        if key is not None and key not in self._drawn_over:
            self._note(key)
        self.changed.emit()

    def _note(self, key: int) -> None:
        """Something was drawn over the scan that is shown."""
        self._states[key] = uuid.uuid4().hex
        if self._scans.shown is not None:
            self._drawn_over[key] = self._scans.shown
