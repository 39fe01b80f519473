"""What the colours of a map mean as its layer shows them, whoever chose its colours."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from napari.layers import Image

from napari_d24fad.viewer.canvas.map_view import View

_STEPS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Legend:
    """The colour scale of a layer.

    Attributes:
        limits: Values at its ends.
        colours: ``(steps, 3)`` red, green and blue from 0 to 1, from its lower to its upper end.
        opacity: Of the layer, 0 to 1.
        scale: What the values are.
    """

    limits: tuple[float, float]
    colours: npt.NDArray[np.float64] = field(repr=False)
    opacity: float
    scale: str


def legend_of(layer: Image, view: View, limits: tuple[float, float]) -> Legend:
    """Returns the colour scale of a layer.

    Args:
        layer: Shows a map.
        view: What its values are.
        limits: The ends of the scale that belong to the threshold; others were chosen in napari.
    """
    low, high = (float(limit) for limit in layer.contrast_limits)
    position = np.linspace(0, 1, _STEPS) ** float(layer.gamma)
    # The very ends have colours of their own for values beyond them.
    inside = np.clip(position, 1e-6, 1 - 1e-6)
    colours = np.asarray(layer.colormap.map(inside), np.float64)[:, :3]
    below = layer.colormap.low_color
    is_clear = below is not None and float(below[3]) == 0
    scale = view.scale if is_clear and np.allclose((low, high), limits) else view.quantity
    return Legend((low, high), colours, float(layer.opacity), scale)
