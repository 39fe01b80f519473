"""What is under the cursor: values of scan and map, and where in the patient that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.findings.words import p_words
from napari_d24fad.viewer.canvas.layer_data import AFFINE_KEY
from napari_d24fad.viewer.canvas.scans import ScanLayers, ShownScan
from napari_d24fad.viewer.canvas.style import unit_of
from napari_d24fad.viewer.reading.weakly import weakly
from napari_d24fad.viewer.running.workers import stop_timer

_EVERY_MS = 30
_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))


class CursorReading(QObject):
    """Reads scan and map under the cursor, at most every 30 ms.

    Args:
        viewer: Whose canvas it is.
        scans: The scan on it.
        result: Returns the result of that scan; None if there is none.
    """

    read = Signal(str)
    """What is under the cursor, in one line; empty outside the scan."""
    moved = Signal(object)
    """Where the cursor is in the world of the viewer; None where nothing is shown."""

    def __init__(self, viewer: Viewer, scans: ScanLayers, result: Callable[[], AnomalyMap | None]) -> None:
        super().__init__()
        self._viewer, self._scans, self._result = viewer, scans, result
        self._place: tuple[float, ...] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._tell)
        self._moved = weakly(self._move)
        viewer.mouse_move_callbacks.append(self._moved)
        scans.slice_changed.connect(self._wait)
        scans.scan_shown.connect(self._forget)
        scans.removed.connect(self._forget)

    def stop(self) -> None:
        """Follows the mouse no longer."""
        stop_timer(self._timer)
        if self._moved in self._viewer.mouse_move_callbacks:
            self._viewer.mouse_move_callbacks.remove(self._moved)

    def _move(self, _viewer: Any, event: Any) -> None:
        self._place = tuple(float(each) for each in event.position)
        self._wait()

    def _wait(self) -> None:
        if self._place is not None and not self._timer.isActive():
            self._timer.start()

    def _forget(self) -> None:
        self._place = None
        self.read.emit("")

    def _tell(self) -> None:
        shown, place, dims = self._scans.shown, self._place, self._viewer.dims
        if shown is None or place is None or dims.ndisplay != 2 or len(place) != dims.ndim:
            self.moved.emit(None)
            self.read.emit("")
            return
        # The slider may have moved under a mouse that stands still.
        world = [place[axis] if axis in dims.displayed else dims.point[axis] for axis in range(dims.ndim)]
        self.moved.emit(tuple(world))
        self.read.emit(read_at(shown, world, self._result()))


def read_at(shown: ShownScan, world: Sequence[float], anomaly: AnomalyMap | None) -> str:
    """Says what a scan and its map show at a place, such as ``"41 HU, score 2.3, p = 0.01, L 12.0 mm"``.

    Args:
        shown: The scan on the canvas.
        world: Place in the world of the viewer; its last axes are those of the layer.
        anomaly: The result of the scan; None if there is none.

    Returns:
        One line; empty outside the scan.
    """
    layer = shown.layer
    place = np.asarray(layer.world_to_data(world[-layer.ndim :]), np.float64)
    index = tuple(int(each) for each in np.round(place))
    if not all(0 <= each < size for each, size in zip(index, layer.data.shape, strict=False)):
        return ""
    told = [_value_text(layer.data[index], unit_of(shown.scan))]
    if anomaly is not None:
        told += _map_texts(anomaly, float(shown.in_layer_order(anomaly.values)[index]))
    affine = layer.metadata.get(AFFINE_KEY)
    if affine is not None and layer.ndim == 3:
        told.append(position_text(affine[:3, :3] @ place + affine[:3, 3]))
    return ", ".join(told)


def position_text(lps: Sequence[float]) -> str:
    """Writes a place in the patient, LPS mm, as ``"L 12.0 P 3.5 H 40.2 mm"``."""
    return (
        " ".join(
            f"{letters[int(each > 0)]} {abs(each):.1f}" for letters, each in zip(_LETTERS, lps, strict=True)
        )
        + " mm"
    )


def _value_text(value: Any, unit: str) -> str:
    if np.ndim(value):
        return "RGB " + " ".join(f"{each}" for each in np.asarray(value)[:3])
    if not np.isfinite(value):
        return "not measured"
    number = (
        f"{float(value):.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{float(value):.3g}"
    )
    return f"{number}{f' {unit}' if unit else ''}".replace("-", "−")


def _map_texts(anomaly: AnomalyMap, score: float) -> list[str]:
    if not np.isfinite(score):
        return ["not examined"]
    told = [f"score {score:.3g}"]
    if anomaly.calibration is not None:
        p_value = float(anomaly.calibration.p_values(np.array([score], np.float32))[0])
        told.append(f"{p_words(p_value)} of the pixel")
    return told
