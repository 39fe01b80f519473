"""Imports in the background what the first pictures need: else the window stands still for each of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pint
from pint.registry import LazyRegistry

from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.viewer.canvas.style import anomaly_colormap
from napari_d24fad.viewer.running.workers import Worker

NEEDED = (
    "scipy.ndimage",  # thumbnails of layers
    "matplotlib",  # colours of maps
    "nibabel",  # most scans
    "pandas",  # Points, Shapes and Labels
    "skimage.draw",
    "skimage.measure",
)


@cache
def warm_up() -> None:
    """Begins, once in a program; tells nobody when it is done."""
    worker = Worker(_import)
    worker.returned.connect(_take_units)
    worker.start()


def _import(progress: Progress, cancel: CancelToken) -> pint.UnitRegistry[Any]:
    units: pint.UnitRegistry[Any] = pint.UnitRegistry(on_redefinition="raise")
    for name in NEEDED:
        cancel.check()
        if name not in sys.modules:
            import_module(name)
    return units


def _take_units(units: pint.UnitRegistry[Any]) -> None:
    """Gives pint its units, if it has not read them itself meanwhile: units of two registries do not mix."""
    application = pint.get_application_registry()  # type: ignore[no-untyped-call]  # pint's
    if isinstance(application.get(), LazyRegistry):
        application.set(units)
    Worker(_add_layers).start()


def _add_layers(progress: Progress, cancel: CancelToken) -> None:
    """Adds a layer of each kind to a viewer without a window, which is all that napari's models need of one.

    The first of each kind costs napari many times what the others do: classes are compared, models prepared.
    """
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer, Points, Shapes

    viewer = ViewerModel()
    few = np.zeros((2, 2, 2), np.float32)
    line = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    mm = {"units": "mm"}
    makers: tuple[Callable[[], Layer], ...] = (
        lambda: Image(few, contrast_limits=(0.0, 1.0), **mm),
        lambda: Image(few, colormap=anomaly_colormap(), **mm),
        lambda: Points(line[:1], **mm),
        lambda: Labels(few.astype(np.uint8), **mm),
        lambda: Shapes([line], shape_type="line", features={"told": ["mm"]}, text="told", **mm),
    )
    for make in makers:
        cancel.check()
        viewer.add_layer(make())
    viewer.layers.clear()
