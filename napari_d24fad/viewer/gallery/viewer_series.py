"""Watches the image layers of a viewer that came from elsewhere and offers them as series."""

from __future__ import annotations

from collections.abc import Callable

from napari.layers import Image, Layer
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_d24fad.viewer.canvas.layer_data import scan_of_layer
from napari_d24fad.viewer.gallery.layer_series import LayerSeries, layer_series

_GEOMETRY_EVENTS = ("data", "scale", "translate", "rotate", "shear", "affine", "units")


class ViewerSeries(QObject):
    """One `LayerSeries` per image layer; a layer that is changed becomes a new series.

    Args:
        viewer: The viewer to watch.
        is_own: Whether a layer was added by this plugin and is to be left out.
    """

    added = Signal(object, object)
    """A `LayerSeries` and its layer."""
    removed = Signal(object)
    """The `LayerSeries` of a layer that is gone."""
    replaced = Signal(object, object, object)
    """The `LayerSeries` of a changed layer before and after, and the layer."""
    renamed = Signal(object, str)
    """The `LayerSeries` of a layer, and what the layer is called now."""

    def __init__(self, viewer: Viewer, is_own: Callable[[Layer], bool]) -> None:
        super().__init__()
        self._viewer = viewer
        self._is_own = is_own
        self._series: dict[Layer, LayerSeries] = {}

    @property
    def series(self) -> tuple[LayerSeries, ...]:
        """The series of all layers watched, in the order of the layers."""
        return tuple(self._series[layer] for layer in self._viewer.layers if layer in self._series)

    def start(self) -> None:
        """Looks at the layers that are there, then follows what comes and goes."""
        events = self._viewer.layers.events
        events.inserted.connect(self._look)
        events.removed.connect(self._look)
        self._viewer.dims.events.order.connect(self._look_again)
        self._look()

    def stop(self) -> None:
        """Follows the viewer no longer."""
        events = self._viewer.layers.events
        events.inserted.disconnect(self._look)
        events.removed.disconnect(self._look)
        self._viewer.dims.events.order.disconnect(self._look_again)
        for layer in list(self._series):
            self._unwatch(layer)

    def _look(self, event: object = None) -> None:
        images = [layer for layer in self._viewer.layers if isinstance(layer, Image)]
        present = [layer for layer in images if not self._is_own(layer)]
        for layer in [layer for layer in self._series if layer not in present]:
            series = self._series[layer]
            self._unwatch(layer)
            self.removed.emit(series)
        for layer in [layer for layer in present if layer not in self._series]:
            self._series[layer] = layer_series(layer, self._viewer.dims.order)
            for name in _GEOMETRY_EVENTS:
                getattr(layer.events, name).connect(self._on_changed)
            layer.events.name.connect(self._on_renamed)
            layer.events.set_data.connect(self._on_drawn)
            self.added.emit(self._series[layer], layer)

    def _look_again(self, event: object = None) -> None:
        for layer in list(self._series):
            self._refresh(layer)

    def _on_changed(self, event: object) -> None:
        layer = getattr(event, "source", None)
        if layer in self._series:
            self._refresh(layer)

    def _on_drawn(self, event: object) -> None:
        layer = getattr(event, "source", None)
        if layer in self._series:  # drawn again, perhaps because its array was edited in place
            self._series[layer].look_again()

    def _on_renamed(self, event: object = None) -> None:
        layer: Image = getattr(event, "source", None)
        # What a file says of its series stays as it is.
        if layer in self._series and scan_of_layer(layer) is None:
            self.renamed.emit(self._series[layer], layer.name)

    def _refresh(self, layer: Image) -> None:
        before, after = self._series[layer], layer_series(layer, self._viewer.dims.order)
        self._series[layer] = after
        self.replaced.emit(before, after, layer)

    def _unwatch(self, layer: Layer) -> None:
        del self._series[layer]
        for name in _GEOMETRY_EVENTS:
            getattr(layer.events, name).disconnect(self._on_changed)
        layer.events.name.disconnect(self._on_renamed)
        layer.events.set_data.disconnect(self._on_drawn)
