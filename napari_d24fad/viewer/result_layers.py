"""Lays results over the scan that is shown: the map, the maps of one slice, the mark of a peak."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Layer, Points
from napari.viewer import Viewer

from napari_d24fad.detection.result import AnomalyMap, FloatArray
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.viewer.layer_data import AFFINE_KEY, RESULT_KEY
from napari_d24fad.viewer.layer_style import anomaly_colormap
from napari_d24fad.viewer.layers import Position, ScanLayers, ShownScan

MARK_COLOUR = "#4cc9f0"
_MARK_SHARE = 0.07
"""Size of the ring, as a share of the longest side of the scan in voxels."""


class ResultLayers:
    """The layers of one result; each lies exactly on the scan last shown.

    Args:
        viewer: The viewer to show them in.
        scans: Shows the scan below.
    """

    def __init__(self, viewer: Viewer, scans: ScanLayers) -> None:
        self._viewer = viewer
        self._scans = scans
        self._map: Image | None = None
        self._slice_map: Image | None = None
        self._mark: Points | None = None
        self._opacity = 1.0

    def show_result(self, anomaly: AnomalyMap, limits: tuple[float, float]) -> Image:
        """Lays an anomaly map over the scan last shown, in place of an earlier result.

        Args:
            anomaly: The map.
            limits: Values at the ends of the colour scale; clear below the first.

        Raises:
            ValueError: If no scan was shown.
        """
        shown = self._shown()
        self.remove()
        data = shown.in_layer_order(anomaly.values)
        self._map = self._add(shown, data, f"Anomaly: {shown.series.label}", limits, anomaly)
        return self._map

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
        self.remove()
        self._map = self._add(shown, data, f"Anomaly, being computed: {shown.series.label}", limits, None)

    def show_values(self, values: FloatArray, limits: tuple[float, float]) -> None:
        """Shows other values in place of the anomaly scores, such as p-values.

        Args:
            values: On the scan's grid.
            limits: Values at the ends of the colour scale.
        """
        self.hide_slice_map()
        layer = self.result_layer
        if layer is not None:
            data = self._shown().in_layer_order(values)
            if layer.data is not data:
                layer.data = data
            layer.contrast_limits = limits
            layer.visible = layer.colorbar.visible = True

    def refresh(self) -> None:
        """Shows values that were written into the array of the anomaly map."""
        if self.result_layer is not None:
            self.result_layer.refresh()

    def set_limits(self, limits: tuple[float, float]) -> None:
        """Changes the ends of the colour scale; the map is clear below the first."""
        if self.result_layer is not None:
            self.result_layer.contrast_limits = limits

    def show_slice_map(self, values: FloatArray, name: str, slice_index: int) -> None:
        """Shows a map of one slice; the map of the whole scan is hidden.

        Args:
            values: ``(rows, columns)``, upright; at least 0, NaN where not examined.
            name: What it shows.
            slice_index: Along the slice axis of the scan.
        """
        shown = self._shown()
        self.hide_map()
        one_slice = canonical_orientation(shown.scan).invert(values[np.newaxis])
        limits = (0.0, max(float(np.nanmax(values)), 1e-6))
        anomaly = None if self.result_layer is None else self.result_layer.metadata[RESULT_KEY]
        layer = self._add(shown, shown.in_layer_order(one_slice), name, limits, anomaly)
        if layer.ndim == 3:
            step = np.zeros(3)
            step[shown.slice_axis] = list(shown.slice_order).index(slice_index)
            layer.translate = np.asarray(layer.translate) + _moved(shown.layer, step)
        self._slice_map = layer

    def hide_map(self) -> None:
        """Hides the map of the whole scan and removes that of one slice."""
        self.hide_slice_map()
        if self.result_layer is not None:
            self.result_layer.visible = self.result_layer.colorbar.visible = False

    def hide_slice_map(self) -> None:
        """Removes the map of one slice, if there is one."""
        was_active = self._slice_map is not None and self._viewer.layers.selection.active == self._slice_map
        self._take_away(self._slice_map)
        self._slice_map = None
        if was_active:
            self._viewer.layers.selection.active = self.result_layer

    def mark(self, index: Position, name: str) -> None:
        """Marks a place with a ring.

        Args:
            index: Of the voxel, in the scan's order.
            name: What is there.
        """
        shown = self._shown()
        self._take_away(self._mark)
        active = self._viewer.layers.selection.active
        place = np.array([shown.layer_index(index)])
        self._mark = Points(
            place,
            name=name,
            symbol="disc",
            size=_MARK_SHARE * max(shown.scan.grid),
            face_color="transparent",
            border_color=MARK_COLOUR,
            border_width=0.1,
            **_placed_as(shown.layer),
        )
        self._viewer.add_layer(self._mark)
        # Its handles are of no use; what was worked with stays at hand.
        self._viewer.layers.selection.active = active

    def remove(self) -> None:
        """Removes all of these layers."""
        for layer in (self._map, self._slice_map, self._mark):
            self._take_away(layer)
        self._map, self._slice_map, self._mark = None, None, None

    @property
    def result_layer(self) -> Image | None:
        """The anomaly layer, unless the user removed it."""
        return self._map if self._map is not None and self._map in self._viewer.layers else None

    @property
    def slice_map_layer(self) -> Image | None:
        """The map of one slice, unless the user removed it."""
        layer = self._slice_map
        return layer if layer is not None and layer in self._viewer.layers else None

    @property
    def mark_layer(self) -> Points | None:
        """The mark, unless the user removed it."""
        return self._mark if self._mark is not None and self._mark in self._viewer.layers else None

    def set_opacity(self, opacity: float) -> None:
        """Sets the opacity of this and later maps, 0 to 1."""
        self._opacity = opacity
        for layer in (self.result_layer, self.slice_map_layer):
            if layer is not None:
                layer.opacity = opacity

    def _add(
        self,
        shown: ShownScan,
        data: FloatArray,
        name: str,
        limits: tuple[float, float],
        anomaly: AnomalyMap | None,
    ) -> Image:
        layer = Image(
            data,
            name=name,
            colormap=anomaly_colormap(),
            contrast_limits=limits,
            blending="translucent_no_depth",
            opacity=self._opacity,
            metadata={RESULT_KEY: anomaly, AFFINE_KEY: shown.layer.metadata.get(AFFINE_KEY)},
            **_placed_as(shown.layer),
        )
        self._viewer.add_layer(layer)
        layer.colorbar.visible = True
        if self.mark_layer is not None:
            self._viewer.layers.move(self._viewer.layers.index(self.mark_layer), len(self._viewer.layers))
        return layer

    def _shown(self) -> ShownScan:
        if self._scans.shown is None:
            raise ValueError("show the scan before its result")
        return self._scans.shown

    def _take_away(self, layer: Layer | None) -> None:
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)


def _placed_as(below: Image) -> dict[str, Any]:
    """Returns the settings that put a layer where another one is."""
    names = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
    return {name: getattr(below, name) for name in names}


def _moved(layer: Image, step: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns by how much a layer's translation grows for its first voxel to lie ``step`` further."""
    world = np.asarray(layer.data_to_world(step)) - np.asarray(layer.data_to_world(np.zeros(3)))
    moved: npt.NDArray[np.float64] = np.linalg.solve(layer.affine.linear_matrix, world)
    return moved
