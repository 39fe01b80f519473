"""The window that the scan on the canvas is shown in: by preset, by key, by the right mouse button."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from typing import Any

from napari.layers import Image
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_d24fad.detection.encoding.intensity import CtWindow, name_windows, usual_windows
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.canvas.scans import ScanLayers, ShownScan
from napari_d24fad.viewer.canvas.style import Limits, unit_of, width_and_level, window_text
from napari_d24fad.viewer.reading.presets import Preset, presets_of
from napari_d24fad.viewer.reading.weakly import weakly
from napari_d24fad.viewer.reading.window_row import WindowRow, is_same
from napari_d24fad.viewer.running.window_choice import WindowChoice

_RIGHT_BUTTON = 2
_PX_PER_E = 200.0
"""Pixels to the right by which the window becomes 2.7 times as wide."""
_PX_PER_WIDTH = 400.0
"""Pixels downwards by which the level rises by the width."""


class Windowing(QObject):
    """Follows what is shown, and keeps the window of each scan while the dock is there.

    Args:
        viewer: Whose canvas it is.
        scans: The scan on it.
        row: Where presets are chosen.
        examined: Where the window is chosen that a CT is examined in.
        known: Returns the scans that are open.
    """

    changed = Signal()
    """Another window, or another scan, is shown."""

    def __init__(
        self,
        viewer: Viewer,
        scans: ScanLayers,
        row: WindowRow,
        examined: WindowChoice,
        known: Callable[[], Iterable[Series]],
    ) -> None:
        super().__init__()
        self._viewer, self._scans, self._row = viewer, scans, row
        self._examined, self._known = examined, known
        self._layer: Image | None = None
        self._presets: tuple[Preset, ...] = ()
        scans.scan_shown.connect(self._follow_scan)
        scans.scan_filled.connect(self._offer)
        row.preset_chosen.connect(self._take)
        row.examine_requested.connect(self._examine)
        examined.window_changed.connect(self._show)
        self._dragged = weakly(self._drag)
        viewer.mouse_drag_callbacks.append(self._dragged)
        self._follow_scan()

    def stop(self) -> None:
        """Follows the viewer no longer."""
        self._leave()
        if self._dragged in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._dragged)

    @property
    def presets(self) -> tuple[Preset, ...]:
        """The windows that the scan on the canvas is read in."""
        return self._presets

    @property
    def limits(self) -> Limits | None:
        """Values that are black and white on the canvas; None where no grey scan is shown."""
        if self._layer is None or self._layer.rgb:
            return None
        low, high = self._layer.contrast_limits
        return float(low), float(high)

    @property
    def text(self) -> str:
        """The same in words, such as ``"W 80  L 40 HU"``."""
        shown, limits = self._scans.shown, self.limits
        return "" if shown is None or limits is None else window_text(limits, unit_of(shown.scan))

    def press(self, digit: int) -> bool:
        """Chooses the preset of a key; returns whether there is one."""
        preset = next((each for each in self._presets if each.key == digit), None)
        if preset is not None:
            self._take(preset)
        return preset is not None

    def _take(self, preset: Preset) -> None:
        self._set(preset.limits)

    def _set(self, limits: Limits) -> None:
        shown = self._shown
        if shown is not None:
            self._scans.set_window(shown.series, limits)

    @property
    def _shown(self) -> ShownScan | None:
        shown = self._scans.shown
        return None if shown is None or shown.scan.is_colour else shown

    def _follow_scan(self) -> None:
        self._leave()
        windows, known = self._scans.windows, set(self._known())
        for series in [each for each in windows if each not in known]:
            del windows[series]
        shown = self._scans.shown
        if shown is not None:
            self._layer = shown.layer
            if not shown.layer.rgb:
                shown.layer.events.contrast_limits.connect(self._note)
        self._offer()

    def _leave(self) -> None:
        if self._layer is not None and not self._layer.rgb:
            self._layer.events.contrast_limits.disconnect(self._note)
        self._layer = None

    def _offer(self) -> None:
        shown = self._shown
        self._presets = () if shown is None else presets_of(shown.scan)
        self._row.offer(self._presets, "" if shown is None else unit_of(shown.scan))
        self._row.setVisible(bool(self._presets))
        self._show()

    def _note(self) -> None:
        """The window was changed, here or in napari: it is kept for the scan."""
        shown, limits = self._shown, self.limits
        if shown is not None and limits is not None:
            self._scans.windows[shown.series] = limits
            self._show()

    def _show(self) -> None:
        limits = self.limits
        if limits is not None:
            self._row.show_window(limits)
            self._row.say_examined(self._otherwise(limits))
        self.changed.emit()

    def _otherwise(self, limits: Limits) -> str:
        """Says in which windows a CT is examined, if what is shown is none of them."""
        shown = self._shown
        if shown is None or shown.scan.modality != "CT":
            return ""
        chosen = self._examined.window
        seen: tuple[CtWindow, ...] = usual_windows(shown.scan) if chosen is None else (chosen,)
        if any(is_same(each, limits) for each in seen):
            return ""
        return f"Shown otherwise than examined: the model sees {name_windows(seen)}."

    def _examine(self) -> None:
        if self.limits is not None:
            low, high = self.limits
            self._examined.choose((float(round(low)), float(max(round(high), round(low) + 1))))
            self._examined.window_changed.emit()

    def _drag(self, viewer: Any, event: Any) -> Generator[None, None, None]:
        """Right button: width by going right, level by going down; left of napari's own zoom by it."""
        active, limits = viewer.layers.selection.active, self.limits
        if event.button != _RIGHT_BUTTON or event.modifiers or limits is None:
            return
        if active is not None and active.mode != "pan_zoom":
            return
        camera, (width, level) = viewer.scene.camera, width_and_level(limits)
        could_pan, camera.mouse_pan = camera.mouse_pan, False
        begun = event.pos
        yield
        while event.type == "mouse_move":
            right, down = (float(to - at) for to, at in zip(event.pos, begun, strict=True))
            wide = width * math.exp(right / _PX_PER_E)
            middle = level + down / _PX_PER_WIDTH * width
            self._set((middle - wide / 2, middle + wide / 2))
            yield
        camera.mouse_pan = could_pan
