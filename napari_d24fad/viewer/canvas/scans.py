"""Adds the scan that is examined to the viewer, follows its slice slider and moves it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from weakref import ReferenceType, ref

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Layer
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_d24fad.detection.encoding.intensity import CtWindow
from napari_d24fad.detection.result import FloatArray
from napari_d24fad.export.anatomy import slice_text
from napari_d24fad.studies.orientation import Orientation, canonical_orientation
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.canvas.layer_data import RESULT_KEY, scan_layer_data, scan_of_layer
from napari_d24fad.viewer.canvas.planes import cut_text
from napari_d24fad.viewer.canvas.reuse import as_new, show_in

Position = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class ShownScan:
    """A scan and the layer that shows it.

    Attributes:
        series: Where the scan came from.
        scan: The scan, in its own axis order.
        layer: The layer.
        orientation: From the scan's axis order to the layer's.
    """

    series: Series = field(repr=False)
    scan: Scan
    layer: Image = field(repr=False)
    orientation: Orientation

    def in_layer_order(self, values: FloatArray) -> FloatArray:
        """Returns an array on the scan's grid, ``(slices, rows, columns)``, as the layer is laid out."""
        turned = self.orientation.apply(values)
        return turned if self.layer.ndim == 3 else turned[0]

    def layer_index(self, index: Position) -> tuple[float, ...]:
        """Returns where a voxel of the scan, ``(slice, row, column)``, is in the layer."""
        place = []
        for axis, flipped in zip(self.orientation.permutation, self.orientation.flips, strict=True):
            place.append(self.scan.grid[axis] - 1 - index[axis] if flipped else index[axis])
        return tuple(place[3 - self.layer.ndim :])

    @property
    def slice_axis(self) -> int:
        """The axis of the layer that the slices are stacked along."""
        return self.orientation.permutation.index(self.scan.slice_axis)

    @property
    def slice_order(self) -> npt.NDArray[np.intp]:
        """For each slice in the order of the slider, its index in the scan."""
        order = np.arange(self.scan.n_slices)
        return order[::-1] if self.orientation.flips[self.slice_axis] else order


class ScanLayers(QObject):
    """The scan that this plugin shows in one viewer, and where its slice slider stands.

    One scan at a time has a layer of its own, which the next one gets. Layers that came from elsewhere stay
    as they are, whatever is shown.
    """

    slice_changed = Signal(int)
    """The slice of the scan last shown that the viewer shows now, counted from 0 as the slider does."""

    scan_shown = Signal()
    """Another scan is shown now."""

    scan_filled = Signal()
    """The scan last shown has all its slices now, of which some were shown before."""

    removed = Signal()
    """The user removed the layer of the scan last shown."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._own: tuple[Series, Image] | None = None
        self._adopted: dict[Series, ReferenceType[Image]] = {}
        self._uncovered: ReferenceType[Image] | None = None
        self._shown: ShownScan | None = None
        self._caption = self._notice = ""
        self.windows: dict[Series, CtWindow] = {}
        """Values that a reader wants to see black and white, of each scan that has such a window."""
        self._events = (viewer.dims.events.point, viewer.dims.events.order, viewer.dims.events.ndisplay)
        for event in self._events:
            event.connect(self._on_view)
        viewer.layers.events.removed.connect(self._on_removed)

    def stop(self) -> None:
        """Follows the viewer no longer; its layers stay."""
        for event in self._events:
            event.disconnect(self._on_view)
        self._viewer.layers.events.removed.disconnect(self._on_removed)

    def adopt(self, series: Series, layer: Image) -> None:
        """Takes a layer that was in the viewer already as the one that shows a series."""
        self._adopted[series] = ref(layer)

    def forget(self, series: Series) -> None:
        """Lets a layer go that was adopted."""
        self._adopted.pop(series, None)

    def is_own(self, layer: Layer) -> bool:
        """Whether this plugin added a layer, for a scan or a result."""
        return RESULT_KEY in layer.metadata or (self._own is not None and layer == self._own[1])

    @property
    def shown(self) -> ShownScan | None:
        """The scan last shown, unless the user removed its layer."""
        return self._shown

    def show_scan(self, series: Series, scan: Scan) -> ShownScan:
        """Shows a scan in its layer, or in place of the one before; the view stays if it is the same one."""
        layer, before = self._layer_of(series), self._shown
        is_same = before is not None and layer is not None and before.layer == layer
        if not is_same:
            self._leave(stays=layer is None and not self.is_covered)
            self._notice = ""
        layer = layer or self._own_layer(series, scan)
        if not layer.visible:
            self._uncovered = ref(layer)
            layer.visible = True
        self._viewer.layers.selection.active = layer
        self._viewer.canvas.overlays.scale_bar.visible = True
        if not is_same:
            self._viewer.reset_view(layers=[layer])
        # A layer that came from elsewhere is laid out as its series reads it.
        orientation = Orientation() if scan_of_layer(layer) is None else canonical_orientation(scan)
        self._shown = ShownScan(series, scan, layer, orientation)
        self._name_slice()
        if not is_same:
            self.scan_shown.emit()
        return self._shown

    def show_nothing(self) -> None:
        """Takes away the scan last shown."""
        self._leave()
        self._notice = ""
        self._viewer.canvas.overlays.text.visible = False

    def fill(self, scan: Scan) -> None:
        """Shows all slices of the scan last shown, of which some were shown before."""
        shown = self._shown
        if shown is None or shown.series.outline.grid != scan.grid or shown.scan is scan:
            return
        self._shown = replace(shown, scan=scan)
        data, settings, _ = scan_layer_data(scan, shown.layer.name)
        if self._own is not None and self._own[1] is shown.layer:  # one from elsewhere has its own slices
            shown.layer.data = data
            shown.layer.metadata = settings["metadata"]
            if "contrast_limits" in settings and shown.series not in self.windows:
                shown.layer.contrast_limits = settings["contrast_limits"]
                self.windows.pop(shown.series, None)  # nobody chose it
        self.scan_filled.emit()

    def set_window(self, series: Series, window: CtWindow) -> None:
        """Shows a scan in a window that the reader chose, now and whenever it is shown."""
        self.windows[series] = window
        if self._shown is not None and self._shown.series is series:
            self._shown.layer.contrast_limits = window

    @property
    def is_covered(self) -> bool:
        """Whether layers of others that are visible lie over the scan last shown."""
        if self._shown is None:
            return False
        layers = list(self._viewer.layers)
        above = layers[layers.index(self._shown.layer) + 1 :]
        return any(isinstance(one, Image) and one.visible and not self.is_own(one) for one in above)

    def _layer_of(self, series: Series) -> Image | None:
        """The layer of a series, if it has one in the viewer."""
        if self._own is not None and self._own[0] is series:
            return self._own[1]
        adopted = self._adopted.get(series)
        layer = None if adopted is None else adopted()
        return layer if layer is not None and layer in self._viewer.layers else None

    def _own_layer(self, series: Series, scan: Scan) -> Image:
        """Shows a scan in the layer of the one before, or in a new one."""
        data, settings, _ = scan_layer_data(scan, series.title)
        if series in self.windows and not scan.is_colour:
            settings["contrast_limits"] = self.windows[series]
        if self._own is not None and show_in(self._own[1], data, as_new(settings)):
            self._own = (series, self._own[1])
        else:
            self._leave()
            self._own = (series, Image(data, **settings))  # before others are told of it
            self._viewer.add_layer(self._own[1])
        return self._own[1]

    def _leave(self, *, stays: bool = False) -> None:
        """Hides a layer from elsewhere that it made visible; removes its own unless that stays."""
        self._shown = None  # first: nobody is to be told that a layer was removed
        uncovered = None if self._uncovered is None else self._uncovered()
        if uncovered is not None:
            uncovered.visible = False
        self._uncovered = None
        if self._own is not None and not stays:
            layer, self._own = self._own[1], None
            self._viewer.layers.remove(layer)

    def go_to_slice(self, index: int) -> None:
        """Moves the slice slider.

        Args:
            index: Slice of the scan last shown, counted from 0 in the order of the slider.
        """
        if self._shown is None or self._shown.layer.ndim != 3:
            return
        axis = self._shown.slice_axis
        self._move(self._shown, index * np.eye(3)[axis], [axis])

    def go_to(self, index: Position) -> None:
        """Moves every slider to a voxel of the scan last shown, ``(slice, row, column)`` in its own order."""
        if self._shown is not None and self._shown.layer.ndim == 3:
            self._move(self._shown, np.array(self._shown.layer_index(index)), range(3))

    def _move(self, shown: ShownScan, place: npt.NDArray[np.float64], axes: Iterable[int]) -> None:
        world, dims = shown.layer.data_to_world(place), self._viewer.dims
        dims.set_point([dims.ndim - 3 + axis for axis in axes], [float(world[axis]) for axis in axes])

    @property
    def current_slice(self) -> int:
        """The slice of the scan last shown that the viewer stands at, counted from 0 as the slider does."""
        if self._shown is None or self._shown.layer.ndim != 3:
            return 0
        return int(np.clip(self._stands_at(self._shown), 0, self._shown.scan.n_slices - 1))

    @property
    def slice_on_canvas(self) -> int | None:
        """The slice that the canvas shows, counted as `current_slice`; None if it shows something else."""
        return self.current_slice if self._shown is not None and not self._elsewhere(self._shown) else None

    @property
    def where(self) -> str:
        """What the canvas shows of the scan last shown, such as ``"Axial slice 12 of 24, H 34.5 mm"``."""
        shown = self._shown
        if shown is None:
            return ""
        return self._elsewhere(shown) or slice_text(shown.scan, int(shown.slice_order[self.current_slice]))

    def _elsewhere(self, shown: ShownScan) -> str:
        """Says what is shown if it is no slice of the scan."""
        dims = self._viewer.dims
        if dims.ndisplay != 2:
            return "3-D view"
        if dims.ndim - 3 + shown.slice_axis in dims.displayed:
            return cut_text(self._viewer, shown.layer)
        is_inside = shown.layer.ndim != 3 or self._stands_at(shown) == self.current_slice
        return "" if is_inside else "Outside the scan"

    def _stands_at(self, shown: ShownScan) -> int:
        return round(float(shown.layer.world_to_data(self._viewer.dims.point[-3:])[shown.slice_axis]))

    def set_notice(self, text: str) -> None:
        """Writes a line on the canvas above the position of the slice; empty for none."""
        self._notice = text
        if self._shown is not None:
            self._name_slice()

    def set_caption(self, text: str) -> None:
        """Writes a line on the canvas below the position of the slice."""
        self._caption = text
        if self._shown is not None:
            self._name_slice()

    def _on_view(self) -> None:
        if self._shown is not None:
            self._name_slice()
            self.slice_changed.emit(self.current_slice)

    def _on_removed(self) -> None:
        if self._own is not None and self._own[1] not in self._viewer.layers:
            self._own = None
        if self._shown is not None and self._shown.layer not in self._viewer.layers:
            self._shown = None
            self._viewer.canvas.overlays.text.visible = False
            self.removed.emit()

    def _name_slice(self) -> None:
        """Writes position and number of the slice on the canvas: napari's slider counts from 0."""
        text = self._viewer.canvas.overlays.text
        text.text = "\n".join(line for line in (self._notice, self.where, self._caption) if line)
        text.visible = True
