"""How scans and anomaly maps are coloured: display windows and the anomaly colormap."""

from __future__ import annotations

import numpy as np
from napari.utils.colormaps import Colormap

from napari_d24fad.detection.encoding.intensity import SUV_WINDOW, sample_of, usual_window
from napari_d24fad.export.colours import COLORMAP, overlay_colours
from napari_d24fad.studies.scan import Photometric, Scan

Limits = tuple[float, float]

_ROBUST_PERCENTILES = (0.5, 99.9)


def contrast_limits(scan: Scan) -> tuple[float, float]:
    """Returns the grey values to show as black and white (white and black for MONOCHROME1).

    CT gets the window in HU that it is examined in, see `usual_window`, PET in SUV its fixed one;
    everything else a range from robust percentiles, because it has no absolute values.
    """
    sample = sample_of(scan.voxels)
    if not sample.size:
        return 0.0, 1.0
    if scan.modality == "CT":
        low, high = usual_window(scan)
        if sample.min() < high and sample.max() > low:
            return low, high
    if scan.unit == "SUV":
        return SUV_WINDOW
    low, high = (float(limit) for limit in np.percentile(sample, _ROBUST_PERCENTILES))
    if high <= low:
        low, high = float(sample.min()), float(sample.max())
    return (low, high) if high > low else (low, low + 1.0)


def grey_colormap(scan: Scan) -> str:
    """Returns the napari colormap that shows a scan as its acquisition meant it."""
    return "gray_r" if scan.photometric is Photometric.BRIGHT_TO_DARK else "gray"


def anomaly_colormap(name: str = COLORMAP) -> Colormap:
    """Returns the colours of maps, transparent below the first value and for NaN.

    Args:
        name: One of `COLOURS`; at first that of exported pictures.
    """
    clear = (0.0, 0.0, 0.0, 0.0)
    return Colormap(overlay_colours(name=name), name=f"anomaly {name}", nan_color=clear, low_color=clear)


def width_and_level(limits: Limits) -> tuple[float, float]:
    """Returns window width and level (its centre)."""
    low, high = limits
    return high - low, (high + low) / 2


def window_text(limits: Limits, unit: str = "") -> str:
    """Writes a window as ``"W 80 L 40 HU"``."""
    width, level = width_and_level(limits)
    return f"W {_number(width)}  L {_number(level)}{f' {unit}' if unit else ''}"


def unit_of(scan: Scan) -> str:
    """Returns what a value of a scan is measured in: ``"HU"``, ``"SUV"``, or empty where it has no unit."""
    return scan.unit or ("HU" if scan.modality == "CT" else "")


def _number(value: float) -> str:
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "0" if float(text) == 0 else text.replace("-", "−")
