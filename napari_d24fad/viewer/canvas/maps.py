"""Lays results over the scan that is shown: the map and the mark of a peak."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Layer, Points
from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_d24fad.detection.result import AnomalyMap, FloatArray
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.viewer.canvas.layer_data import AFFINE_KEY, RESULT_KEY
from napari_d24fad.viewer.canvas.legend import Legend, legend_of
from napari_d24fad.viewer.canvas.map_view import View
from napari_d24fad.viewer.canvas.reuse import put, show_in
from napari_d24fad.viewer.canvas.scans import Position, ScanLayers, ShownScan
from napari_d24fad.viewer.canvas.style import anomaly_colormap
from napari_d24fad.viewer.running.workers import stop_timer

MARK_COLOUR = "#4cc9f0"
_MARK_SHARE = 0.07
"""Size of the ring, as a share of the longest side of the scan in voxels."""
_LOOKS = ("colormap", "gamma", "opacity", "blending", "interpolation2d")
"""What the user may have chosen in napari, and the next map keeps."""


class ResultLayers(QObject):
    """The layers of one result; each lies exactly on the scan last shown.

    A new map looks as the one before it did when it was taken away, whoever chose that.

    Args:
        viewer: The viewer to show them in.
        scans: Shows the scan below.
    """

    opacity_changed = Signal(float)
    """The opacity of the map, 0 to 1, as it was set here or in napari."""

    def __init__(self, viewer: Viewer, scans: ScanLayers) -> None:
        super().__init__()
        self._viewer = viewer
        self._scans = scans
        self._map: Image | None = None
        self._mark: Points | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._show_mark)
        self._looks: dict[str, Any] = {"opacity": 1.0, "blending": "translucent_no_depth"}
        self._has_colorbar = True
        self._limits = (0.0, 1.0)

    def show_result(self, anomaly: AnomalyMap, limits: tuple[float, float]) -> Image:
        """Lays an anomaly map over the scan last shown, in place of an earlier result.

        Args:
            anomaly: The map.
            limits: Values at the ends of the colour scale; clear below the first.

        Raises:
            ValueError: If no scan was shown.
        """
        shown = self._shown()
        self._empty_mark()
        data = shown.in_layer_order(anomaly.values)
        return self._lay(shown, data, f"Anomaly: {shown.series.label}", limits, anomaly)

    def renew(self, anomaly: AnomalyMap) -> None:
        """Notes that the layer shows another result of the same scan from now on."""
        if self.result_layer is not None:
            self.result_layer.metadata = {**self.result_layer.metadata, RESULT_KEY: anomaly}

    def renew_slice(self, values: FloatArray, slice_index: int) -> None:
        """Shows other values in one slice of the anomaly map, until the whole map is renewed.

        Args:
            values: ``(1, rows, columns)``, upright.
            slice_index: Along the slice axis of the scan.
        """
        layer = self.result_layer
        if layer is None or not layer.visible:
            return
        shown = self._shown()
        turned = shown.in_layer_order(canonical_orientation(shown.scan).invert(values))
        if layer.ndim == 2:
            layer.data = turned
            return
        # A copy: the map belongs to a result that must stay as it is.
        data = layer.data if layer.data.flags.writeable and layer.data.base is None else layer.data.copy()
        place: list[Any] = [slice(None)] * 3
        place[shown.slice_axis] = list(shown.slice_order).index(slice_index)
        data[tuple(place)] = turned.squeeze(shown.slice_axis)
        if layer.data is data:
            layer.refresh()
        else:
            layer.data = data

    def show_partial(self, values: FloatArray, limits: tuple[float, float]) -> None:
        """Lays a map that is being computed over the scan last shown, or shows what was added to it.

        Args:
            values: On the scan's grid, NaN where there is nothing yet; the same array each time.
            limits: Values at the ends of the colour scale.
        """
        shown = self._shown()
        data = shown.in_layer_order(values)
        layer = self.result_layer
        if layer is not None and np.shares_memory(layer.data, data):
            layer.refresh()
            return
        self._empty_mark()
        self._lay(shown, data, f"Anomaly, being computed: {shown.series.label}", limits, None)

    def show_values(self, values: FloatArray, limits: tuple[float, float], anomaly: AnomalyMap) -> None:
        """Shows other values in place of those shown, such as p-values or scores again.

        Args:
            values: On the scan's grid; the same array again shows what was written into it.
            limits: Values at the ends of the colour scale.
            anomaly: The result they are of.
        """
        layer, shown = self.result_layer, self._shown()
        data = shown.in_layer_order(values)
        if layer is None:  # removed by hand, and asked for again
            self._lay(shown, data, f"Anomaly: {shown.series.label}", limits, anomaly)
            return
        if np.may_share_memory(layer.data, data):
            layer.refresh()
        else:
            layer.data = data
        self.set_limits(limits)

    def refresh(self) -> None:
        """Shows values that were written into the array of the anomaly map."""
        if self.result_layer is not None:
            self.result_layer.refresh()

    def set_limits(self, limits: tuple[float, float]) -> None:
        """Changes the ends of the colour scale; the map is clear below the first."""
        if self.result_layer is None or limits == self._limits:  # else what was chosen in napari stays
            return
        self._limits = limits
        self.result_layer.contrast_limits = limits

    def legend(self, view: View) -> Legend | None:
        """Returns what the colours on the canvas mean; None if there are none.

        Args:
            view: What the values of the map are.
        """
        layer = self.result_layer
        return None if layer is None or not layer.visible else legend_of(layer, view, self._limits)

    def mark(self, index: Position, name: str) -> None:
        """Marks a place with a ring.

        Args:
            index: Of the voxel, in the scan's order.
            name: What is there.
        """
        shown, layer = self._shown(), self.mark_layer
        data = np.array([shown.layer_index(index)])
        looks = {"name": name, "size": _MARK_SHARE * max(shown.scan.grid), **placed_as(shown.layer)}
        if layer is not None and layer.ndim == data.shape[1]:
            layer.data = data
            put(layer, {**looks, "visible": True})
            return
        self._take_away(layer)
        active = self._viewer.layers.selection.active
        self._mark = Points(
            data,
            symbol="disc",
            face_color="transparent",
            border_color=MARK_COLOUR,
            border_width=0.1,
            visible=False,
            **looks,
        )
        self._viewer.layers.insert(self._place_above(self._map), self._mark)
        # Its handles are of no use; what was worked with stays at hand.
        self._viewer.layers.selection.active = active
        self._soon.start()  # napari takes as long to draw the first as to make it

    def unmark(self) -> None:
        """Hides the ring; to remove its layer would hold up the viewer."""
        stop_timer(self._soon)
        if self.mark_layer is not None:
            self.mark_layer.visible = False

    def _show_mark(self) -> None:
        if self.mark_layer is not None:
            self.mark_layer.visible = True

    def _empty_mark(self) -> None:
        """Forgets the ring: it is of a result of before, and would be on another scan when it is shown."""
        layer = self.mark_layer
        if layer is not None and len(layer.data):
            self.unmark()
            layer.data = layer.data[:0]

    def remove(self) -> None:
        """Removes all of these layers."""
        self._keep_looks()
        for layer in (self._map, self._mark):
            self._take_away(layer)
        self._map, self._mark = None, None

    @property
    def result_layer(self) -> Image | None:
        """The anomaly layer, unless the user removed it."""
        return self._map if self._map is not None and self._map in self._viewer.layers else None

    @property
    def mark_layer(self) -> Points | None:
        """The mark, unless the user removed it."""
        return self._mark if self._mark is not None and self._mark in self._viewer.layers else None

    def set_opacity(self, opacity: float) -> None:
        """Sets the opacity of this and later maps, 0 to 1."""
        self._looks["opacity"] = opacity
        if self.result_layer is not None:
            self.result_layer.opacity = opacity

    def set_colours(self, name: str) -> None:
        """Chooses the colours of this and later maps, one of `COLOURS`."""
        self._looks["colormap"] = anomaly_colormap(name)
        if self.result_layer is not None:
            self.result_layer.colormap = self._looks["colormap"]

    def _lay(
        self,
        shown: ShownScan,
        data: FloatArray,
        name: str,
        limits: tuple[float, float],
        anomaly: AnomalyMap | None,
    ) -> Image:
        """Lays a map directly over a scan, in the layer of the map before if there is one."""
        self._keep_looks()
        self._limits = limits
        settings: dict[str, Any] = {
            "name": name,
            "contrast_limits": limits,
            "metadata": {RESULT_KEY: anomaly, AFFINE_KEY: shown.layer.metadata.get(AFFINE_KEY)},
            **placed_as(shown.layer),
        }
        layers, layer = self._viewer.layers, self.result_layer
        is_above = layer is not None and layers.index(layer) == layers.index(shown.layer) + 1
        if layer is not None and is_above and show_in(layer, data, {**settings, "visible": True}):
            layers.selection.active = layer
            return layer
        self._take_away(layer)
        layer = self._map = Image(data, **{"colormap": anomaly_colormap(), **self._looks}, **settings)
        layers.insert(self._place_above(shown.layer), layer)
        layer.colorbar.visible = self._has_colorbar
        layer.events.opacity.connect(self._tell_opacity)
        return layer

    def _keep_looks(self) -> None:
        if self._map is not None:
            self._looks = {name: getattr(self._map, name) for name in _LOOKS}
            self._has_colorbar = self._map.colorbar.visible

    def _tell_opacity(self) -> None:
        if self.result_layer is not None:
            self.opacity_changed.emit(float(self.result_layer.opacity))

    def place_above_map(self, shown: ShownScan) -> int:
        """Returns where in the list of layers to put what covers scan and map, below the mark."""
        return self._place_above(self.result_layer or shown.layer)

    def _place_above(self, layer: Layer | None) -> int:
        """Returns where to put what lies directly over a layer: no layer of others comes between."""
        layers = self._viewer.layers
        return layers.index(layer) + 1 if layer in layers else len(layers)

    def _shown(self) -> ShownScan:
        if self._scans.shown is None:
            raise ValueError("show the scan before its result")
        return self._scans.shown

    def _take_away(self, layer: Layer | None) -> None:
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)


def placed_as(below: Image) -> dict[str, Any]:
    """Returns the settings that put a layer where another one is."""
    names = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
    return {name: getattr(below, name) for name in names}
