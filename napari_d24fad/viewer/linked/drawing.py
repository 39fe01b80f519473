"""What the linked views show: cuts of the scan with its map, and slices of references."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from napari.layers import Image
from napari.viewer import Viewer

from napari_d24fad.viewer.canvas.layer_data import AFFINE_KEY
from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.canvas.scans import ShownScan
from napari_d24fad.viewer.linked.cut import Array, Cut, Index, cut_along
from napari_d24fad.viewer.linked.painting import coloured, grey_picture, outlined
from napari_d24fad.viewer.linked.references import ReferenceSlice
from napari_d24fad.viewer.linked.slice_view import Drawn

_AXES = 3


class CutDrawing:
    """Draws in the window, the colours and the zoom of the canvas.

    Args:
        viewer: Whose canvas it is.
        maps: The map over the scan.
        is_outlined: Returns whether regions are outlined and not filled.
    """

    def __init__(self, viewer: Viewer, maps: ResultLayers, is_outlined: Callable[[], bool]) -> None:
        self._viewer, self._maps, self._is_outlined = viewer, maps, is_outlined

    def cut(self, shown: ShownScan, cut: Cut, place: Index, title: str, *, with_map: bool) -> Drawn:
        """Returns what a view shows of a scan.

        Args:
            shown: The scan.
            cut: Which way.
            place: Index in its layer of the crosshair.
            title: What it is; the number of the cut is added.
            with_map: Whether to lay the map over it.
        """
        index = round(place[cut.across])
        volume = volume_of(shown.layer)
        picture = grey_picture(shown.layer, cut.picture(volume, index))
        layer = self._maps.result_layer
        if with_map and layer is not None and volume_of(layer).shape == volume.shape[:3]:
            values = cut.picture(volume_of(layer), index)
            if self._is_outlined():
                picture = outlined(picture, layer, values)
            elif layer.visible:
                picture = coloured(picture, layer, values)
        zoom = self.zoom(shown)
        cross, count = cut.in_picture(place, volume.shape), volume.shape[cut.across]
        number = f" {index + 1} of {count}" if count > 1 else ""
        return Drawn(
            picture, cut.step, title + number, cut.letters, cross, zoom, self._centre(shown, cut, place, zoom)
        )

    def reference(self, shown: ShownScan, cut: Cut, place: Index, found: ReferenceSlice) -> Drawn:
        """Returns what a view shows of a reference; with a crosshair if it lies on the scan."""
        what = "aligned, as examined" if found.is_aligned else "most like it, as examined"
        title = f"Reference {found.reference_index + 1}, {what}"
        grey = found.picture if found.picture.ndim == 3 else np.repeat(found.picture[..., None], 3, axis=2)
        picture, zoom = np.ascontiguousarray(grey, dtype=np.uint8), self.zoom(shown)
        if not found.is_aligned:
            return Drawn(picture, found.step, title, zoom=zoom)
        cross = cut.in_picture(place, volume_of(shown.layer).shape)
        centre = self._centre(shown, cut, place, zoom)
        return Drawn(picture, found.step, title, cut.letters, cross, zoom, centre)

    def zoom(self, shown: ShownScan) -> float:
        """How many times larger than it would fit the canvas shows the scan; never less than once."""
        dims, size = self._viewer.dims, self._viewer.canvas.size
        axes = [axis - (dims.ndim - 3) for axis in dims.displayed[-2:]]
        shape, scale = volume_of(shown.layer).shape, _scale(shown.layer)
        spans = [shape[axis] * scale[axis] for axis in axes]
        fits = min(side / span for side, span in zip(size, spans, strict=True) if span > 0)
        return max(1.0, float(self._viewer.scene.camera.zoom) / (0.95 * fits)) if dims.ndisplay == 2 else 1.0

    def _centre(self, shown: ShownScan, cut: Cut, at: Index, zoom: float) -> tuple[float, float] | None:
        """Where a view is centred that does not show all: where the canvas is, or at the crosshair."""
        if zoom <= 1.05:
            return None
        dims, place = self._viewer.dims, list(at)
        world = list(dims.point)
        for axis, middle in zip(dims.displayed[-2:], self._viewer.scene.camera.center[-2:], strict=True):
            world[axis] = float(middle)
        centre = place_in(shown.layer, world)
        for axis in dims.displayed[-2:]:
            place[axis - (dims.ndim - 3)] = centre[axis - (dims.ndim - 3)]
        return cut.in_picture((place[0], place[1], place[2]), volume_of(shown.layer).shape)


def cut_of(shown: ShownScan, across: int) -> Cut:
    """Returns how to show the cuts of a scan that are stacked along an axis of its layer."""
    affine = shown.layer.metadata.get(AFFINE_KEY)
    directions = None if affine is None else affine[:3, :3]
    return cut_along(across, directions, _scale(shown.layer))


def volume_of(layer: Image) -> Array:
    """Returns the values of a layer along three axes: a single image is a volume of one slice."""
    return np.asarray(layer.data if layer.ndim == _AXES else layer.data[None])


def place_in(layer: Image, world: Sequence[float]) -> Index:
    """Returns where a place of the viewer is in the volume of a layer."""
    *_, row, column = layer.world_to_data(world[-layer.ndim :])
    across = 0.0 if layer.ndim < _AXES else layer.world_to_data(world[-_AXES:])[0]
    return float(across), float(row), float(column)


def _scale(layer: Image) -> Index:
    *across, row, column = (abs(float(each)) for each in layer.scale)
    return across[0] if across else 1.0, row, column
