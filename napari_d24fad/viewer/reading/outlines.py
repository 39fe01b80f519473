"""Lines around regions: of the map, where the reader wants no fill, and of findings by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from napari.viewer import Viewer
from qtpy.QtCore import QObject

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.findings.finding import Mask
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.viewer.canvas.drawn import LESION_KEY
from napari_d24fad.viewer.canvas.layer_data import LINE_KEY
from napari_d24fad.viewer.canvas.maps import ResultLayers, placed_as
from napari_d24fad.viewer.canvas.reuse import put
from napari_d24fad.viewer.canvas.scans import ScanLayers, ShownScan
from napari_d24fad.viewer.linked.painting import LINE_RGB
from napari_d24fad.viewer.results.panel import ResultsPanel
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.running.workers import Worker

_OF_MAP, _BY_HAND = 1, 2
_COLOURS: dict[int | None, Any] = {
    None: "transparent",
    0: "transparent",
    _OF_MAP: np.array(LINE_RGB) / 255,
    _BY_HAND: "#4cc9f0",
}
_NAME = "Outlines"

Regions = npt.NDArray[np.uint8]


class Outlines(QObject):
    """The layer with the lines.

    Args:
        viewer: The viewer.
        scans: The scan on its canvas.
        maps: The map over it, which is hidden where regions are outlined.
        view: What a reader decided.
        panel: Where the threshold and the look are chosen.
        result: Returns the result whose map is on the canvas.
    """

    def __init__(
        self,
        viewer: Viewer,
        scans: ScanLayers,
        maps: ResultLayers,
        view: ResultView,
        panel: ResultsPanel,
        result: Callable[[], AnomalyMap | None],
    ) -> None:
        super().__init__()
        self._viewer, self._scans, self._maps, self._view = viewer, scans, maps, view
        self._panel, self._result = panel, result
        self._layer: Labels | None = None
        self._has_hidden = False
        self._worker: Worker | None = None
        panel.look.outlined_changed.connect(self._renew)
        panel.look.colours_changed.connect(maps.set_colours)
        panel.threshold.level_changed.connect(self._renew)
        panel.view_choice.view_changed.connect(self._say)
        view.verdicts.changed.connect(self._renew)
        scans.scan_shown.connect(self._renew)
        scans.removed.connect(self._renew)

    @property
    def layer(self) -> Labels | None:
        """The lines; None where there are none."""
        return self._layer if self._layer is not None and self._layer in self._viewer.layers else None

    def discard(self) -> None:
        """Stops drawing."""
        if self._worker is not None:
            self._worker.discard()
            self._worker = None

    def _say(self) -> None:
        """Says on the canvas what is drawn: lines, where no colours are."""
        if self._result() is not None:
            look, threshold = self._panel.look, self._panel.threshold
            lines = f"Orange line: score ≥ {threshold.level:.3g}"
            self._scans.set_caption(lines if look.is_outlined else self._panel.view_choice.view.colours)

    def _renew(self, *_: Any) -> None:
        self.discard()
        shown, anomaly = self._scans.shown, self._result()
        known = None if shown is None else self._view.verdicts.findings_of(shown.series)
        listed = () if known is None else known.shown
        marked = [each.mask for each in listed if each.by_hand and each.mask is not None]
        outlined = self._panel.look.is_outlined and anomaly is not None
        layer = self._maps.result_layer
        if layer is not None and (outlined or self._has_hidden):  # what was hidden in napari stays so
            layer.visible = not outlined
        if anomaly is not None and (outlined or self._has_hidden):
            self._say()
        self._has_hidden = outlined
        if shown is None or not (outlined or marked):
            self._remove()
            return
        values = anomaly.values if outlined and anomaly is not None else None
        hidden, level = self._view.verdicts.hidden, self._panel.threshold.level
        grid = shown.scan.grid

        def work(progress: Progress, cancel: CancelToken) -> Regions:
            return _regions(grid, values, level, hidden, marked)

        self._worker = Worker(work)
        told = [f"orange line: score {level:.3g} and above"] if outlined else []
        told += ["blue line: marked by hand"] if marked else []
        self._worker.returned.connect(partial(self._show, shown, ", ".join(told)))
        self._worker.start()

    def _show(self, shown: ShownScan, told: str, regions: Regions) -> None:
        if self._scans.shown is None or self._scans.shown.series is not shown.series:
            return
        turned = shown.orientation.apply(regions)
        data = turned if shown.layer.ndim == 3 else turned[0]
        layer = self.layer
        metadata = {LESION_KEY: True, LINE_KEY: told}  # nothing is examined by it
        if layer is not None and layer.ndim == data.ndim:
            layer.data = data
            put(layer, {"metadata": metadata, **placed_as(shown.layer)})
            return
        self._remove()
        active = self._viewer.layers.selection.active
        self._layer = Labels(
            data,
            name=_NAME,
            colormap=DirectLabelColormap(color_dict=_COLOURS),
            opacity=1.0,
            blending="translucent_no_depth",
            metadata=metadata,
            **placed_as(shown.layer),
        )
        self._layer.contour = 1
        self._layer.editable = False
        self._viewer.layers.insert(self._maps.place_above_map(shown), self._layer)
        self._viewer.layers.selection.active = active

    def _remove(self) -> None:
        layer, self._layer = self.layer, None
        if layer is not None:
            self._viewer.layers.remove(layer)


def _regions(
    grid: tuple[int, int, int],
    values: npt.NDArray[np.float32] | None,
    level: float,
    hidden: Sequence[Mask],
    marked: Sequence[Mask],
) -> Regions:
    """Returns which voxels belong to regions of the map (1) and to what was marked by hand (2)."""
    regions = np.zeros(grid, np.uint8)
    if values is not None:
        np.greater_equal(values, level, out=regions.view(bool))  # NaN is not
        for mask in hidden:
            regions[mask.box][mask.voxels] = 0
    for mask in marked:
        regions[mask.box][mask.voxels] = _BY_HAND
    return regions
