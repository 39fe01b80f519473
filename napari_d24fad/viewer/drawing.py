"""Joins what a reader draws in the viewer to what is examined."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import numpy as np
from napari.layers import Labels, Layer, Shapes
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.session.request import Drawn
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.canvas.drawn import LESION_KEY, Canvas, Drawing, drawing_on
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.running.region_choice import RegionChoice

_NAME = "Examine only here"
_EDITS = ("data", "paint", "labels_update")  # not set_data, which every slice that is shown emits


class RegionDrawing(QObject):
    """The layers of a viewer that regions may be drawn in, and the scan that each was drawn on.

    A layer belongs to the scan that was shown when it was chosen or first drawn in. While another scan is
    shown it is hidden, so that nothing is drawn in it by mistake.

    Args:
        viewer: Whose layers they are.
        scans: Which scan is shown.
        choice: Where some of them are chosen.
    """

    changed = Signal()
    """Other regions are to be examined."""
    nothing_shown = Signal()
    """There is no scan to draw on."""

    def __init__(self, viewer: Viewer, scans: ScanLayers, choice: RegionChoice) -> None:
        super().__init__()
        self._viewer, self._scans, self._choice = viewer, scans, choice
        self._numbers = count(1)
        self._layers: dict[int, Layer] = {}
        self._drawn_on: dict[int, Canvas | None] = {}  # None: drawn over two scans, so it is not known which
        self._states: dict[int, str] = {}  # a new one after each edit, never that of an earlier program
        self._chosen: tuple[int, ...] = ()
        for event in self._events:
            event.connect(self._look)
        choice.region_changed.connect(self._follow)
        choice.draw_requested.connect(self.add_layer)
        scans.scan_shown.connect(self._show_own)
        self._look()

    def stop(self) -> None:
        """Follows the viewer no longer."""
        for event in self._events:
            event.disconnect(self._look)
        for key in list(self._layers):
            self._forget(key)

    @property
    def regions(self) -> tuple[Drawn, ...]:
        """What is drawn in the layers that are chosen, one for each scan; empty for the whole anatomy."""
        by_series: dict[Series, list[int]] = {}
        for key in self._choice.keys:
            canvas = self._drawn_on.get(key)
            if canvas is not None:
                by_series.setdefault(canvas.series, []).append(key)
        through = self._choice.through.isChecked()
        return tuple(self._drawn(series, keys, through=through) for series, keys in by_series.items())

    @property
    def is_lost(self) -> bool:
        """Whether a layer is chosen of which nobody knows the scan that it was drawn on."""
        return any(self._drawn_on.get(key) is None for key in self._choice.keys)

    def add_layer(self) -> None:
        """Adds a layer to draw in, over the scan that is shown, and chooses it beside the others."""
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

    def _drawn(self, series: Series, keys: Sequence[int], *, through: bool) -> Drawn:
        drawings = [self._drawing(key, through=through) for key in keys]

        def read() -> BoolArray:
            return np.asarray(np.any([drawing.read() for drawing in drawings], axis=0))

        states = " ".join(self._states[key] for key in keys)
        state = f"{states} {'all slices' if through else 'as drawn'}"
        return Drawn(series, hashlib.sha256(state.encode()).hexdigest(), read)

    def _drawing(self, key: int, *, through: bool) -> Drawing:
        canvas = self._drawn_on[key]
        assert canvas is not None  # asked before
        return drawing_on(self._layers[key], canvas, through=through)

    def _look(self) -> None:
        """Offers the layers that are there."""
        present = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Labels | Shapes) and LESION_KEY not in layer.metadata
        ]
        for key in [key for key, layer in self._layers.items() if layer not in present]:
            self._forget(key)
        for layer in present:
            if layer not in self._layers.values():
                key = next(self._numbers)
                self._layers[key] = layer
                for event in self._edit_events(layer):
                    event.connect(self._edit)
        self._offer()

    def _offer(self) -> None:
        self._choice.offer([(key, self._named(key)) for key in self._layers])

    def _named(self, key: int) -> str:
        name = self._layers[key].name
        if key not in self._drawn_on:
            return str(name)
        canvas = self._drawn_on[key]
        return f"On {'two scans' if canvas is None else canvas.series.title}: {name}"

    def _forget(self, key: int) -> None:
        layer = self._layers.pop(key)
        for event in self._edit_events(layer):
            event.disconnect(self._edit)
        self._drawn_on.pop(key, None)
        self._states.pop(key, None)

    def _edit_events(self, layer: Layer) -> list[Any]:
        return [getattr(layer.events, name) for name in _EDITS if hasattr(layer.events, name)]

    def _edit(self, event: Any) -> None:
        layer = getattr(event, "source", None)
        for key, own in self._layers.items():
            if own is layer:
                self._note(key)
                if key in self._choice.keys:
                    self.changed.emit()
                return

    def _follow(self) -> None:
        chosen, before = self._choice.keys, self._chosen
        self._chosen = chosen
        for key in chosen:
            if (
                key not in before and self._drawn_on.get(key) is None
            ):  # ticked again, a layer belongs to the scan that is shown
                self._drawn_on.pop(key, None)
                self._note(key)
        self.changed.emit()

    def _note(self, key: int) -> None:
        """Something was drawn over the scan that is shown."""
        self._states[key] = uuid.uuid4().hex
        shown = self._scans.shown
        if shown is None:
            return
        known = self._drawn_on.get(key)
        if key not in self._drawn_on:
            self._drawn_on[key] = Canvas.of(shown)
        elif known is not None and known.series is not shown.series:
            self._drawn_on[key] = None
        else:
            return
        self._offer()

    def _show_own(self) -> None:
        """Hides what was drawn on other scans: over this one it would mislead."""
        shown = self._scans.shown
        for key, canvas in self._drawn_on.items():
            if canvas is not None and shown is not None:
                self._layers[key].visible = canvas.series is shown.series
