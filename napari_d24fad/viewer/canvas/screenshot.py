"""A picture of the canvas to keep, stamped with what makes it readable and without who it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.viewer import Viewer

from napari_d24fad.export.notice import NOTICE
from napari_d24fad.session.request import Examination
from napari_d24fad.viewer.canvas.layer_data import LINE_KEY
from napari_d24fad.viewer.canvas.legend import Legend
from napari_d24fad.viewer.canvas.planes import edge_letters_of
from napari_d24fad.viewer.canvas.scans import ShownScan
from napari_d24fad.viewer.canvas.style import unit_of, window_text

if TYPE_CHECKING:
    from napari_d24fad.export.stamp import Picture, Stamp
    from napari_d24fad.studies.scan import Scan


def canvas_picture(viewer: Viewer) -> Picture:
    """Returns the canvas as it is shown, ``(rows, columns, 3)``, without napari's own overlays.

    The stamp says what they say, where it cannot cover anatomy.
    """
    colorbars = [layer.colorbar for layer in viewer.layers if hasattr(layer, "colorbar")]
    overlays = [*viewer.canvas.overlays.values(), *colorbars]
    visible = [overlay.visible for overlay in overlays]
    try:
        for overlay in overlays:
            overlay.visible = False
        pixels = viewer.screenshot(canvas_only=True, flash=False)
    finally:
        for overlay, shown in zip(overlays, visible, strict=True):
            overlay.visible = shown
    return np.ascontiguousarray(pixels[..., :3])


def canvas_stamp(
    viewer: Viewer,
    shown: ShownScan,
    examination: Examination,
    where: str,
    index: int | None,
    legend: Legend | None,
    picture: Picture,
) -> Stamp:
    """Returns what to stamp on the canvas: colour bar, scale bar, slice position, series and notice.

    Args:
        viewer: The viewer.
        shown: The scan that is shown.
        examination: What was found in it.
        where: What the canvas shows of it; see `ScanLayers.where`.
        index: The slice that it shows, counted from 0 in the order of the slider; None if it shows no slice.
        legend: What the colours mean; None if nothing is coloured.
        picture: Of the canvas, as `canvas_picture` returns it.
    """
    # Slow to import: not before a picture is saved.
    from napari_d24fad.export.overlay import model_text, series_text
    from napari_d24fad.export.stamp import Stamp
    from napari_d24fad.export.windows import windows_text

    scan, anomaly = shown.scan, examination.anomaly
    flat = viewer.dims.ndisplay == 2
    score = "" if index is None else _score_text(scan, float(anomaly.slice_scores[shown.slice_order[index]]))
    lines = (layer.metadata.get(LINE_KEY, "") for layer in viewer.layers if layer.visible)
    grey = "" if scan.is_colour else window_text(shown.layer.contrast_limits, unit_of(scan))
    # The grey values on the canvas are the user's choice; those that were examined are not.
    window = windows_text(scan, anomaly, examination.request.windows)
    return Stamp(
        heading=(
            series_text(scan, shown.series.label),
            ", ".join(text for text in (where, score, grey, *lines) if text),
        ),
        footing=(", ".join(text for text in (model_text(anomaly), window) if text), NOTICE),
        limits=None if legend is None else legend.limits,
        scale="" if legend is None else legend.scale,
        colours=None if legend is None else legend.colours,
        opacity=1.0 if legend is None else legend.opacity,
        letters=edge_letters_of(viewer, shown.layer),
        mm_per_pixel=_mm_per_pixel(viewer, shown, picture) if flat and scan.has_geometry else None,
    )


def _score_text(scan: Scan, score: float) -> str:
    told = f"{'slice ' if scan.is_volume else ''}score {score:.3g}"
    return told if np.isfinite(score) else "not examined"


def _mm_per_pixel(viewer: Viewer, shown: ShownScan, picture: Picture) -> float:
    # World units are those of the layers, micrometres too; without common ones they are not converted.
    unit = (viewer.layers.units or shown.layer.units)[-1]
    # The zoom is in logical pixels per world unit; the picture is in those of the screen it was taken on.
    ratio = picture.shape[1] / float(viewer.canvas.size[1])
    return float((1 * unit).to("mm").magnitude / (viewer.scene.camera.zoom * ratio))
