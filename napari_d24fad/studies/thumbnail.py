"""Draws one slice small: windowed, upright, with square pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.orientation import canonical
from napari_d24fad.studies.scan import Photometric, Scan, Voxels

_WINDOW_PERCENTILES = (0.5, 99.5)
_SAMPLES = 65536


def thumbnail(scan: Scan, size: int = 96) -> npt.NDArray[np.uint8]:
    """Draws the middle slice of a scan in canonical orientation.

    Args:
        scan: The scan, of one slice or more.
        size: Length of the longer side in pixels.

    Returns:
        ``(rows, columns)``, or ``(rows, columns, 3)`` for colour. The aspect ratio is
        that in the patient, whatever the pixel spacing.
    """
    upright = canonical(scan)
    return _drawn(upright, upright.voxels[upright.n_slices // 2], size)


def thumbnails(scan: Scan, size: int, cancel: CancelToken) -> tuple[npt.NDArray[np.uint8], ...]:
    """Draws all slices of a scan, as `thumbnail` draws the middle one, in the order of the slice slider.

    Args:
        scan: The scan.
        size: Length of the longer side in pixels.
        cancel: Stops it.

    Raises:
        Cancelled: If a stop was asked for.
    """
    upright, pictures = canonical(scan), []
    for at in range(upright.n_slices):
        cancel.check()
        pictures.append(_drawn(upright, upright.voxels[at], size))
    return tuple(pictures)


def _drawn(upright: Scan, picture: Voxels, size: int) -> npt.NDArray[np.uint8]:
    if upright.photometric is not Photometric.COLOUR:
        picture = windowed(picture, inverted=upright.photometric is Photometric.BRIGHT_TO_DARK)
    _, row_distance, column_distance = upright.spacing
    height, width = picture.shape[0] * row_distance, picture.shape[1] * column_distance
    scale = size / max(height, width)
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = Image.fromarray(np.ascontiguousarray(picture, dtype=np.uint8)).resize(
        shape, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    )
    return np.asarray(small, dtype=np.uint8)


def windowed(picture: Voxels, *, inverted: bool = False) -> npt.NDArray[np.uint8]:
    """Maps grey values to 0-255 between robust percentiles.

    Args:
        picture: Grey values, any shape.
        inverted: Whether low values are shown bright (MONOCHROME1).
    """
    values = picture.astype(np.float32)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.zeros(picture.shape, np.uint8)
    low, high = np.percentile(finite[:: max(1, finite.size // _SAMPLES)], _WINDOW_PERCENTILES)
    scaled = (np.nan_to_num(values, nan=low) - low) / max(float(high - low), 1e-6)
    grey: npt.NDArray[np.uint8] = (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    return 255 - grey if inverted else grey
