"""Pictures of cuts in the window and the colours that napari shows them in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from napari.layers import Image

Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[np.generic]

_STEPS = 256
LINE_RGB = (255, 159, 28)
"""The line around regions of the map, here and on the canvas."""


def grey_picture(layer: Image, plane: Array) -> Picture:
    """Returns a cut of a scan as its layer shows it.

    Args:
        layer: Of the scan.
        plane: ``(rows, columns)``, or ``(rows, columns, 3)`` for colour.

    Returns:
        ``(rows, columns, 3)``, contiguous; black where nothing was measured.
    """
    if plane.ndim == 3:
        return np.ascontiguousarray(plane[..., :3], dtype=np.uint8)
    low, high = (float(limit) for limit in layer.contrast_limits)
    share = np.clip((plane.astype(np.float32) - low) / max(high - low, 1e-12), 0, 1) ** float(layer.gamma)
    share = np.nan_to_num(share, nan=1.0 if layer.colormap.name == "gray_r" else 0.0)
    if layer.colormap.name == "gray_r":
        share = 1 - share
    grey = (share * 255).round().astype(np.uint8)
    return np.repeat(grey[..., np.newaxis], 3, axis=2)


def coloured(picture: Picture, layer: Image, plane: Array) -> Picture:
    """Lays a cut of a map over a picture, as its layer shows it: clear below its first value and for NaN.

    Args:
        picture: ``(rows, columns, 3)``.
        layer: Of the map.
        plane: ``(rows, columns)``, of its values.
    """
    low, high = (float(limit) for limit in layer.contrast_limits)
    share = (plane.astype(np.float32) - low) / max(high - low, 1e-12)
    seen = share >= 0  # NaN is not
    if not seen.any():
        return picture
    colours = np.asarray(layer.colormap.map(np.linspace(1e-6, 1 - 1e-6, _STEPS) ** float(layer.gamma)))
    at = (np.clip(share[seen], 0, 1) * (_STEPS - 1)).round().astype(int)
    chosen = colours[at]
    opacity = chosen[:, 3:] * float(layer.opacity)
    mixed = picture.astype(np.float32)
    mixed[seen] = mixed[seen] * (1 - opacity) + 255 * chosen[:, :3] * opacity
    return np.ascontiguousarray(mixed.round().clip(0, 255).astype(np.uint8))


def outlined(picture: Picture, layer: Image, plane: Array) -> Picture:
    """Draws a line around what a map colours, inside of it.

    Args:
        picture: ``(rows, columns, 3)``.
        layer: Of the map.
        plane: ``(rows, columns)``, of its values.
    """
    inside = np.asarray(plane, np.float32) >= float(layer.contrast_limits[0])  # NaN is not
    if not inside.any():
        return picture
    within = np.pad(inside, 1)
    whole = inside & within[:-2, 1:-1] & within[2:, 1:-1] & within[1:-1, :-2] & within[1:-1, 2:]
    drawn = picture.copy()
    drawn[inside & ~whole] = LINE_RGB
    return drawn
