"""What a reader drew in a Labels or Shapes layer, on the voxels of the scan it was drawn over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Labels, Layer, Shapes
from scipy import ndimage
from skimage.draw import polygon2mask

from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.orientation import Orientation
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.canvas.scans import ShownScan

LESION_KEY = "napari_d24fad lesion"
"""Marks layers that the lesion of an example is drawn in: nothing is examined by them."""

Matrix = npt.NDArray[np.float64]

_ROUND = 64  # corners of an ellipse
_WITHOUT_AREA = ("line", "path")


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """A scan that is drawn on, without its voxels: the layer that shows it may go before the drawing does.

    Attributes:
        series: The scan.
        shape: Of the layer that shows it.
        to_world: From index of that layer to the last axes of the world.
        orientation: From the scan's axis order to the layer's.
        slice_axis: The axis of the layer that slices are stacked along.
    """

    series: Series = field(repr=False)
    shape: tuple[int, ...]
    to_world: Matrix = field(repr=False)
    orientation: Orientation
    slice_axis: int

    @classmethod
    def of(cls, shown: ShownScan) -> Canvas:
        """Takes what is known of a scan that is shown."""
        shape = tuple(int(n) for n in shown.layer.data.shape[: shown.layer.ndim])
        matrix = _to_world(shown.layer, len(shape))
        return cls(shown.series, shape, matrix, shown.orientation, shown.slice_axis)


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """What was drawn over a scan; taken in the GUI thread, read in a worker.

    Attributes:
        canvas: The scan it was drawn on.
        through: Whether it counts in all slices.
        draw: Returns it on the voxels of the layer that shows the scan.
    """

    canvas: Canvas
    through: bool
    draw: Callable[[], BoolArray]

    def read(self) -> BoolArray:
        """Returns the region on the grid of the scan.

        Raises:
            PairingError: ``REGION_EMPTY``, if nothing is drawn over the scan.
        """
        mask = self.draw()
        if self.through and mask.ndim == 3:
            mask = np.broadcast_to(mask.any(axis=self.canvas.slice_axis, keepdims=True), mask.shape)
        if not mask.any():
            raise PairingError(Code.REGION_EMPTY, "Nothing is drawn over the scan.")
        whole = mask if mask.ndim == 3 else mask[np.newaxis]
        return np.ascontiguousarray(self.canvas.orientation.invert(whole))


def drawing_on(layer: Layer, canvas: Canvas, *, through: bool) -> Drawing:
    """Takes what is drawn in a layer.

    Args:
        layer: A Labels or Shapes layer.
        canvas: The scan that it was drawn on.
        through: Whether it counts in all slices.
    """
    shape = canvas.shape
    if isinstance(layer, Labels):
        data = layer.data
        to_data = np.linalg.inv(_to_world(layer, len(shape))) @ canvas.to_world
        return Drawing(canvas, through, lambda: _labelled(data, to_data, shape))
    assert isinstance(layer, Shapes)
    to_scan = np.linalg.inv(canvas.to_world) @ _to_world(layer, len(shape))
    shapes = zip(layer.data, layer.shape_type, strict=True)
    outlines = [
        _outline(np.asarray(corners, np.float64), kind)
        for corners, kind in shapes
        if kind not in _WITHOUT_AREA
    ]
    placed = [_moved(to_scan, outline) for outline in outlines]
    return Drawing(canvas, through, lambda: _filled(placed, shape))


def outlined_on(corners: Matrix, canvas: Canvas) -> Drawing:
    """Takes an outline in one slice or cut.

    Args:
        corners: ``(n, ndim)``, as indices of the layer that shows the scan.
        canvas: The scan that it was drawn on.
    """
    return Drawing(canvas, False, lambda: _filled([corners], canvas.shape))


def _to_world(layer: Layer, ndim: int) -> Matrix:
    """Returns the map from index of the last axes of a layer to the last axes of the world."""
    first = layer.ndim - ndim
    matrix = np.eye(ndim + 1)
    start = np.asarray(layer.data_to_world(np.zeros(layer.ndim)))
    for axis in range(ndim):
        if axis + first >= 0:
            step = np.zeros(layer.ndim)
            step[axis + first] = 1
            moved = np.asarray(layer.data_to_world(step)) - start
            matrix[max(0, -first) : ndim, axis] = moved[max(0, first) :]
    matrix[max(0, -first) : ndim, ndim] = start[max(0, first) :]
    return matrix


def _labelled(data: Any, to_data: Matrix, shape: tuple[int, ...]) -> BoolArray:
    """Reads labels at the voxels of the scan, those of the nearest voxel."""
    labels: BoolArray = np.asarray(np.asarray(data) > 0)
    while labels.ndim > len(shape):
        labels = np.asarray(labels.any(axis=0))
    ndim = len(shape)
    if labels.ndim < ndim:  # one picture over a volume counts in all slices
        plane = slice(ndim - labels.ndim, None)
        part = to_data[plane, plane]
        flat = ndimage.affine_transform(
            labels.astype(np.uint8), part[:-1, :-1], part[:-1, -1], output_shape=shape[plane], order=0
        )
        return np.broadcast_to(flat > 0, shape)
    read = ndimage.affine_transform(
        labels.astype(np.uint8), to_data[:-1, :-1], to_data[:-1, -1], output_shape=shape, order=0
    )
    return np.asarray(read > 0)


def _outline(corners: Matrix, kind: str) -> Matrix:
    """Returns the corners of a shape; of an ellipse, given by those of its box, points around it."""
    if kind != "ellipse":
        return corners
    middle = corners.mean(axis=0)
    along, across = (corners[1] - corners[0]) / 2, (corners[2] - corners[1]) / 2
    angle = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)[:, np.newaxis]
    return np.asarray(middle + np.cos(angle) * along + np.sin(angle) * across)


def _moved(matrix: Matrix, points: Matrix) -> Matrix:
    """Maps points ``(n, ndim)``; of more axes the last count, missing ones are 0."""
    ndim = len(matrix) - 1
    whole = np.zeros((len(points), ndim))
    own = points[:, -ndim:]
    whole[:, ndim - own.shape[1] :] = own
    return np.asarray(whole @ matrix[:-1, :-1].T + matrix[:-1, -1])


def _filled(outlines: list[Matrix], shape: tuple[int, ...]) -> BoolArray:
    """Fills outlines in the plane that each was drawn in."""
    mask = np.zeros(shape, bool)
    for outline in outlines:
        if len(shape) == 2:
            mask |= _polygon(shape, outline)
            continue
        axis = int(np.ptp(outline, axis=0).argmin())
        plane = round(float(outline[:, axis].mean()))
        if 0 <= plane < shape[axis]:
            others = [other for other in range(3) if other != axis]
            size = (shape[others[0]], shape[others[1]])
            at = (slice(None),) * axis + (plane,)
            mask[at] |= _polygon(size, outline[:, others])
    return mask


def _polygon(shape: tuple[int, ...], corners: Matrix) -> BoolArray:
    """Returns the pixels whose centres lie within a polygon."""
    return np.asarray(polygon2mask(shape, corners), np.bool_)  # type: ignore[no-untyped-call]
