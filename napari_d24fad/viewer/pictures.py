"""Small pictures for widgets: arrays as pixmaps in the shape of the patient, maps in colours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QImage, QPixmap

from napari_d24fad.detection.result import FloatArray
from napari_d24fad.export.colours import overlay_colours

Picture = npt.NDArray[np.uint8]

_ANATOMY_SHARE = 0.45
"""How much of the anatomy shines through a map: enough to see where it lies."""


def pixmap(picture: Picture, size: QSize, pixel: tuple[float, float] = (1.0, 1.0)) -> QPixmap:
    """Returns a picture scaled to fit, with the proportions it has in the patient.

    Args:
        picture: ``(rows, columns)`` or ``(rows, columns, 3)``.
        size: The room for it.
        pixel: Row and column spacing, in any common unit.
    """
    form = QImage.Format.Format_RGB888 if picture.ndim == 3 else QImage.Format.Format_Grayscale8
    data = np.ascontiguousarray(picture)
    image = QImage(data.data, data.shape[1], data.shape[0], data.strides[0], form)
    shape = QSize(round(1000 * data.shape[1] * pixel[1]), round(1000 * data.shape[0] * pixel[0]))
    shape.scale(size, Qt.AspectRatioMode.KeepAspectRatio)
    target = shape.expandedTo(QSize(1, 1))
    ignore, smooth = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(image).scaled(target, ignore, smooth)


def map_picture(values: FloatArray, background: Picture) -> Picture:
    """Returns a map in colours from 0 to its highest value, over the anatomy; NaN stays grey.

    Args:
        values: ``(rows, columns)``, none below 0.
        background: ``(rows, columns)`` or ``(rows, columns, 3)``.
    """
    grey = background if background.ndim == 3 else np.repeat(background[..., None], 3, axis=2)
    scale = overlay_colours()[:, :3]
    examined = np.isfinite(values)
    highest = max(float(values[examined].max(initial=0.0)), 1e-12)
    steps = np.nan_to_num(values / highest * (len(scale) - 1)).round().astype(int)
    colours = 255 * scale[np.clip(steps, 0, len(scale) - 1)]
    mixed = np.where(examined[..., None], _ANATOMY_SHARE * grey + (1 - _ANATOMY_SHARE) * colours, grey)
    return np.asarray(mixed.round(), np.uint8)
