"""Shows scan and aligned reference in turns on the canvas, so that the eye sees what differs."""

from __future__ import annotations

import numpy as np
from napari.layers import Image
from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_d24fad.detection.result import FloatArray
from napari_d24fad.viewer.canvas.layer_data import AFFINE_KEY, RESULT_KEY
from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.canvas.scans import ScanLayers, ShownScan
from napari_d24fad.viewer.running.workers import stop_timer

INTERVAL_MS = 250
"""How long each of the two stays: twice a second both are seen."""

_FOLLOWED = ("contrast_limits", "gamma", "colormap", "interpolation2d")
"""The looks that the reference shares with the scan, whoever changes them meanwhile."""


class Flicker(QObject):
    """Alternates one slice of the scan last shown with a reference read at its voxels.

    The reference is a layer of one slice at the place of that slice: at another slice it cannot be seen.
    It covers the colours of the map, which are not of it, and the canvas says what is shown. Whatever
    moves the view or takes the scan away ends it.

    Args:
        viewer: The viewer.
        scans: The scan below.
        maps: What lies over the scan.
    """

    changed = Signal(bool)
    """Whether it runs now."""

    def __init__(self, viewer: Viewer, scans: ScanLayers, maps: ResultLayers) -> None:
        super().__init__()
        self._viewer, self._scans, self._maps = viewer, scans, maps
        self._layer: Image | None = None
        self._below: Image | None = None
        self._name = ""
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._turn)
        scans.slice_changed.connect(self.stop)
        scans.removed.connect(self.stop)

    @property
    def is_running(self) -> bool:
        """Whether scan and reference are shown in turns."""
        return self._layer is not None

    @property
    def shows_reference(self) -> bool:
        """Whether it is the reference that is on the canvas at this moment."""
        return self._layer is not None and bool(self._layer.visible)

    def start(self, aligned: FloatArray, slice_index: int, name: str) -> None:
        """Begins, with the reference, if the canvas shows the slice.

        Args:
            aligned: The reference in the slice, in the order of the scan, its slice axis of length 1; NaN
                where it shows nothing.
            slice_index: Along the slice axis of the scan.
            name: Of the reference, such as ``"Reference 3"``.
        """
        self.stop()
        shown, on_canvas = self._scans.shown, self._scans.slice_on_canvas
        if shown is None or on_canvas is None or int(shown.slice_order[on_canvas]) != slice_index:
            return
        if shown.layer.ndim != 3 or not shown.layer.visible:
            return
        self._name, self._below = name, shown.layer
        active = self._viewer.layers.selection.active
        layer = _layer_of(shown, aligned, on_canvas, f"{name}, aligned")
        self._viewer.layers.insert(self._maps.place_above_map(shown), layer)
        self._viewer.layers.selection.active = active
        self._layer = layer
        layer.visible = False
        self._turn()
        self._timer.start()
        self.changed.emit(True)

    def stop(self) -> None:
        """Ends it: the scan is on the canvas, and nothing of the reference."""
        if self._layer is None:
            return
        stop_timer(self._timer)
        layer, self._layer, self._below = self._layer, None, None
        layer.visible = False
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        self._scans.set_notice("")
        self.changed.emit(False)

    def _turn(self) -> None:
        layer, below = self._layer, self._below
        if layer is None or below is None or layer not in self._viewer.layers or not below.visible:
            self.stop()  # the user took one of them away
            return
        for look in _FOLLOWED:
            if getattr(layer, look) != getattr(below, look):
                setattr(layer, look, getattr(below, look))
        layer.visible = not layer.visible
        what = f"{self._name.upper()}, ALIGNED (not the scan that is examined)"
        self._scans.set_notice(what if layer.visible else "The scan that is examined")


def _layer_of(shown: ShownScan, aligned: FloatArray, position: int, name: str) -> Image:
    """Returns a layer of one slice at its place; black where the reference shows nothing."""
    below = shown.layer
    black = below.contrast_limits[1 if below.colormap.name == "gray_r" else 0]
    step = np.zeros(3)
    step[shown.slice_axis] = position * below.scale[shown.slice_axis]
    return Image(
        np.nan_to_num(shown.orientation.apply(aligned), nan=black),
        name=name,
        scale=below.scale,
        translate=np.asarray(below.translate) + np.asarray(below.rotate) @ step,
        rotate=below.rotate,
        affine=below.affine,
        units=below.units,
        axis_labels=below.axis_labels,
        contrast_limits=below.contrast_limits,
        blending="translucent_no_depth",
        metadata={RESULT_KEY: None, AFFINE_KEY: None},
        **{look: getattr(below, look) for look in _FOLLOWED if look != "contrast_limits"},
    )
