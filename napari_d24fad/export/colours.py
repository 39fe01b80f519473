"""How anomaly values become colours: the same in every picture of the project."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_d24fad.detection.result import AnomalyMap

COLORMAP = "inferno"
COLOURS = {COLORMAP: "Inferno", "cividis": "Cividis (colour-blind safe)", "viridis": "Viridis"}
"""What a reader can choose, by the names of matplotlib; the first unless another is chosen."""
_DARKEST = 0.25
"""Where the colormap starts: its black end would read as low signal on a grey image."""
_FAINTEST, _STRONGEST = 0.3, 0.6
"""Opacity at the two ends of the scale: the anatomy below must stay readable everywhere."""
_SMALLEST_RANGE = 1.5
"""The scale ends no lower than this many times where it begins, so that a normal scan stays dark."""


def anomaly_limits(anomaly: AnomalyMap) -> tuple[float, float]:
    """Returns the values at the two ends of the colour scale, for the whole scan.

    The lower end is the level above which a normal scan shows at most one region; below it the
    overlay is transparent. The upper end is the highest value of the map, so that slices can be
    compared with each other.
    """
    low = float(anomaly.level_one_region)
    finite = anomaly.values[np.isfinite(anomaly.values)]
    highest = float(finite.max()) if finite.size else low
    return low, max(highest, low + (_SMALLEST_RANGE - 1) * max(abs(low), 1e-6))


def overlay_colours(steps: int = 256, name: str = COLORMAP) -> npt.NDArray[np.float64]:
    """Returns the colour scale from its lower to its upper end.

    Args:
        steps: Number of colours.
        name: One of `COLOURS`.

    Returns:
        ``(steps, 4)`` red, green, blue and opacity from 0 to 1; opacity grows with the
        anomaly. The colormap is perceptually uniform and readable without colour vision.
    """
    import matplotlib as mpl  # too slow to import for a widget that is only opened

    colours = np.asarray(mpl.colormaps[name](np.linspace(_DARKEST, 1, steps)), dtype=np.float64)
    colours[:, 3] = np.linspace(_FAINTEST, _STRONGEST, steps)
    return colours


def blend(
    grey: npt.NDArray[np.uint8],
    values: npt.NDArray[np.float32],
    limits: tuple[float, float],
    name: str = COLORMAP,
) -> npt.NDArray[np.uint8]:
    """Lays anomaly values over a picture, with a line where they begin.

    Args:
        grey: ``(rows, columns)`` or ``(rows, columns, 3)``.
        values: ``(rows, columns)`` anomaly; transparent below the lower limit and where NaN.
        limits: Values at the ends of the colour scale.
        name: Of the colours, one of `COLOURS`.

    Returns:
        ``(rows, columns, 3)``.
    """
    from scipy.ndimage import binary_erosion  # likewise

    picture = grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)
    scale = overlay_colours(name=name)
    low, high = limits
    position = np.nan_to_num((values - low) / (high - low), nan=-1.0)
    colours = scale[np.clip(position * (len(scale) - 1), 0, len(scale) - 1).round().astype(int)]
    opacity = np.where(position >= 0, colours[..., 3], 0.0)[..., None]
    mixed = picture * (1 - opacity) + colours[..., :3] * 255 * opacity
    # On stained tissue or bright bone the faint end of the scale alone would be overlooked.
    above = position >= 0
    mixed[above & ~binary_erosion(above, border_value=1)] = scale[-1, :3] * 255
    blended: npt.NDArray[np.uint8] = np.clip(mixed.round(), 0, 255).astype(np.uint8)
    return blended
