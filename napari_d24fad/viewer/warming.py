"""Imports in the background what the first pictures need: else the window stands still for each of them."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import Any

import pint
from pint.registry import LazyRegistry

from napari_d24fad.progress import CancelToken, Progress
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
