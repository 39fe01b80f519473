"""Shows something else in a layer that is there: to make or remove one takes napari up to half a second."""

from __future__ import annotations

from typing import Any

import numpy as np
import pint
from napari.layers import Image, Layer

from napari_d24fad.studies.scan import Voxels

_AS_NEW: dict[str, Any] = {"visible": True, "opacity": 1.0, "gamma": 1.0}


def show_in(layer: Image, data: Voxels, settings: dict[str, Any]) -> bool:
    """Shows other voxels, elsewhere and otherwise.

    Args:
        layer: Shows something else.
        data: As the layer takes it.
        settings: What else `Image` would get; others stay as they are.

    Returns:
        Whether that was possible; a layer has its type of data and number of axes for good.
    """
    rgb = bool(settings.get("rgb", False))
    same_kind = layer.rgb == rgb and layer.ndim == data.ndim - rgb and layer.data.dtype == data.dtype
    if not same_kind or not _is_placed_plainly(layer):
        return False
    layer.data = data
    if "contrast_limits" in settings:  # the slider in napari is to reach as far as for a new layer
        layer.contrast_limits_range = settings["contrast_limits"]
    put(layer, {name: value for name, value in settings.items() if name != "rgb"})
    return True


def put(layer: Layer, settings: dict[str, Any]) -> None:
    """Changes what is not as it should be; each change costs napari a drawing."""
    for name, value in settings.items():
        if not _is_same(name, getattr(layer, name), value):
            setattr(layer, name, value)


def as_new(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns the same with the looks of a new layer, whatever was chosen in napari for what it showed."""
    return {**_AS_NEW, **settings}


def _is_placed_plainly(layer: Layer) -> bool:
    """Whether nobody turned it by hand in napari."""
    turned = (layer.affine.affine_matrix, layer.rotate)
    return all(np.array_equal(each, np.eye(len(each))) for each in turned) and not np.any(layer.shear)


def _is_same(name: str, one: Any, other: Any) -> bool:
    """Whether a setting is as wanted, which may be given by its name."""
    if name == "metadata":
        return False
    if name == "units":
        return tuple(one) == tuple(pint.Unit(each) for each in other)
    if name == "colormap":
        return bool(one.name == getattr(other, "name", other))
    if name == "affine":
        one, other = one.affine_matrix, other.affine_matrix
    return bool(np.array_equal(one, other))
