"""The layer that measurements are drawn in, and how its shapes become measurements and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Shapes

from napari_d24fad.errors import ArgumentError
from napari_d24fad.findings.measurements import Ellipse, Measurement, Place, Ruler
from napari_d24fad.findings.words import measurement_words
from napari_d24fad.viewer.canvas.drawn import LESION_KEY
from napari_d24fad.viewer.canvas.maps import placed_as
from napari_d24fad.viewer.canvas.scans import ShownScan

COLOUR = "#ffd60a"
_NAME = "Measurements"
_EDGE_SHARE = 1 / 250
"""Width of a line, as a share of the longest side of the scan in voxels."""
_SHORTEST = 0.5
"""Voxels: what is smaller was a click."""

Corners = npt.NDArray[np.float64]


def measure_layer(shown: ShownScan) -> Shapes:
    """Returns an empty layer over a scan, in its mm."""
    layer = Shapes(
        ndim=shown.layer.ndim,
        name=_NAME,
        face_color="transparent",
        edge_color=COLOUR,
        edge_width=max(shown.scan.grid) * _EDGE_SHARE,
        features={"told": np.array([], dtype=object), "finding": np.array([], dtype=np.int64)},
        text={"string": "{told}", "color": COLOUR, "size": 11, "anchor": "upper_left"},
        opacity=1.0,
        blending="translucent_no_depth",
        metadata={LESION_KEY: True},  # nothing is examined by what is drawn here
        **placed_as(shown.layer),
    )
    layer.feature_defaults = {"told": "", "finding": 0}
    return layer


def place_in_scan(shown: ShownScan, place: Sequence[float]) -> Place:
    """Returns the array index in the scan of a place in its layer, also between voxels."""
    whole = (0.0,) * (3 - len(place)) + tuple(float(each) for each in place)
    found = [0.0, 0.0, 0.0]
    for at, axis, flipped in zip(whole, shown.orientation.permutation, shown.orientation.flips, strict=True):
        found[axis] = shown.scan.grid[axis] - 1 - at if flipped else at
    return found[0], found[1], found[2]


def read_shapes(layer: Shapes, shown: ShownScan) -> tuple[list[Measurement], str]:
    """Measures what is drawn.

    Returns:
        The measurements, in the order of the shapes, and why some shape is none; empty if all are.
    """
    found: list[Measurement] = []
    told = ""
    numbers = layer.features["finding"].tolist()
    for corners, kind, finding in zip(layer.data, layer.shape_type, numbers, strict=True):
        places = [place_in_scan(shown, corner) for corner in np.asarray(corners, np.float64)]
        if extent(corners) < _SHORTEST:
            told = told or "Hold the mouse button down and draw."
            continue
        try:
            if kind == "line":
                found.append(Ruler.on(shown.scan, places[0], places[1], int(finding)))
            elif kind == "ellipse":
                found.append(_ellipse(shown, places, int(finding)))
        except ArgumentError as error:
            told = f"{error.detail} In a cut across the slices, lengths can be measured."
    return found, told


def show_measurements(layer: Shapes, shown: ShownScan, measurements: Sequence[Measurement]) -> None:
    """Draws measurements in place of what the layer shows, with their figures beside them."""
    layer.selected_data = set()
    layer.data = []
    for each in measurements:
        corners = np.array([shown.layer_index(place) for place in _corners(each, shown)])
        layer.add([corners], shape_type="line" if isinstance(each, Ruler) else "ellipse")
    layer.features = {
        "told": np.array([measurement_words(each, shown.scan) for each in measurements], dtype=object),
        "finding": np.array([each.finding for each in measurements], dtype=np.int64),
    }
    layer.refresh_text()


def extent(corners: npt.NDArray[Any]) -> float:
    """Returns the longest side of the box around a shape, in voxels."""
    return float(np.ptp(np.asarray(corners, np.float64), axis=0).max())


def _ellipse(shown: ShownScan, places: Sequence[Place], finding: int) -> Ellipse:
    corners = np.array(places)
    first, last = corners.min(axis=0), corners.max(axis=0)
    return Ellipse.on(shown.scan, _place(first), _place(last), finding)


def _corners(measurement: Measurement, shown: ShownScan) -> list[Place]:
    first, last = measurement.first, measurement.last
    if isinstance(measurement, Ruler):
        return [first, last]
    one, _ = (axis for axis in range(3) if axis != shown.scan.slice_axis)
    between, opposite = list(first), list(last)
    between[one], opposite[one] = last[one], first[one]
    return [first, _place(between), last, _place(opposite)]


def _place(values: Sequence[float] | Corners) -> Place:
    return float(values[0]), float(values[1]), float(values[2])
