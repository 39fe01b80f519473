"""Turns a `Scan` into what napari needs for an image layer: data, placement and looks."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from napari.layers import Image

from napari_d24fad.studies.orientation import canonical
from napari_d24fad.studies.scan import Affine, Scan, Voxels
from napari_d24fad.viewer.canvas.style import contrast_limits, grey_colormap

SCAN_KEY = "d24fad_scan"
"""In a layer's metadata: the `Scan` it shows, in the scan's own axis order."""

AFFINE_KEY = "affine_lps"
"""In a layer's metadata: the true affine, layer index to LPS millimetres; None if sides are not known."""

RESULT_KEY = "d24fad_result"
"""In a layer's metadata: the `AnomalyMap` it belongs to."""

LINE_KEY = "d24fad_lines"
"""In a layer's metadata: what its lines mean, for pictures that are saved."""

_GRAIN = 2**20
_FINE_MM = 0.01

ScanLayerData = tuple[Voxels, dict[str, Any], Literal["image"]]


def scan_layer_data(scan: Scan, name: str) -> ScanLayerData:
    """Returns the npe2 layer data of a scan.

    napari does not draw an affine that turns or exchanges axes, so the voxels are brought to
    the nearest canonical axes (a view, nothing is resampled) and placed by a positive scale
    and a translation; the true affine goes into the metadata together with the scan.

    Args:
        scan: The scan, in any axis order.
        name: Name of the layer, without identity.
    """
    upright = canonical(scan)
    scale, translate = placement(upright.affine)
    settings: dict[str, Any] = {
        "name": name,
        "scale": scale,
        "translate": translate,
        "axis_labels": ("slice", "row", "column"),
        "units": ("mm" if scan.has_geometry else "pixel",) * 3,
        "metadata": {SCAN_KEY: scan, AFFINE_KEY: np.array(upright.affine) if scan.in_patient else None},
    }
    if scan.is_colour:
        return upright.voxels, {**settings, "rgb": True}, "image"
    looks = {"colormap": grey_colormap(scan), "contrast_limits": contrast_limits(scan)}
    return upright.voxels, {**settings, **looks}, "image"


def scan_of_layer(layer: Image) -> Scan | None:
    """Returns the scan that a layer shows, if it came from `scan_layer_data` and still shows it."""
    scan = layer.metadata.get(SCAN_KEY)
    if isinstance(scan, Scan) and np.may_share_memory(scan.voxels, layer.data):
        return scan
    return None


def placement(affine: Affine) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns scale and translation of array axes laid out without turning them.

    The first voxel stands where its patient position projects onto the direction of each
    axis. Series of one frame of reference, sliced alike, therefore lie on each other.
    Lengths are rounded to a binary fraction, about a nanometre: napari derives the number of
    slider steps by truncating a quotient of these floats, and with decimal spacings the last
    slice is out of reach for one volume in four.

    Args:
        affine: ``(4, 4)``, array index to LPS millimetres, in canonical order.

    Returns:
        Three scales (mm per voxel) and three translations (mm), in array order.
    """
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    lengths = np.where(lengths > 0, lengths, 1.0)
    origin = (affine[:3, :3] / lengths).T @ affine[:3, 3]
    # Of a voxel below 10 micrometres a nanometre is a share that counts.
    finer = 2.0 ** max(0, np.ceil(np.log2(_FINE_MM / lengths.min())))
    return _exact(lengths, finer * _GRAIN), _exact(origin, finer * _GRAIN)


def _exact(millimetres: npt.NDArray[np.float64], grain: float) -> tuple[float, ...]:
    return tuple(float(value) for value in np.round(millimetres * grain) / grain)
