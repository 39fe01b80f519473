"""Writes the anomaly map of an image without patient geometry as a float TIFF."""

from __future__ import annotations

import os

import numpy as np
import tifffile

from napari_d24fad.atomic import atomic_file
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.export.notice import DESCRIPTION


def save_tiff(anomaly: AnomalyMap, path: str | os.PathLike[str]) -> None:
    """Writes the map as float32, one page per slice, NaN where nothing was examined.

    Args:
        anomaly: The map; pixel for pixel the image that was examined.
        path: Name ending in ``.tiff`` or ``.tif``.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    pages = np.moveaxis(np.asarray(anomaly.values, dtype=np.float32), anomaly.slice_axis, 0)
    with atomic_file(path) as staged:
        tifffile.imwrite(
            staged,
            np.ascontiguousarray(pages),
            photometric="minisblack",
            description=DESCRIPTION,
            software="napari-d24fad",
            metadata=None,
        )
