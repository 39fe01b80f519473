"""An image layer that is in the viewer already, seen as a `Series` like any other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Image

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.scan import Affine, Photometric, Scan, SeriesIdentity, Voxels
from napari_d24fad.studies.series import Series, outline_voxels
from napari_d24fad.viewer.canvas.layer_data import scan_of_layer

_REVERSED_GREYS = ("gray_r", "gist_yarg")
_WORDS: dict[int, type[np.unsignedinteger[Any]]] = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
_DIMENSIONS = "Only images and volumes, of two or three dimensions, can be examined."
_COLOURS = "Colours of a layer can be examined in 8 or 16 bits, or as numbers from 0 to 1."


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LayerSeries(Series):
    """What a layer held when it was looked at; its data is read only when wanted.

    An array may be edited in place without anybody being told. napari shows the edit when it draws the
    layer again (a refresh, or another slice), and says so by ``events.set_data``: that is when
    `look_again` has the array compared with what it was, and what is examined is what is shown.

    Attributes:
        data: The array, ``(slices, rows, columns[, 3 or 4])``, or without slices.
    """

    kind: str = "layer"

    data: Any = field(repr=False)
    _content: _Content = field(default_factory=lambda: _Content(), init=False, repr=False)

    @property
    def files(self) -> tuple[Path, ...]:
        """See `Series.files`: whatever the layer was read from, its data may have changed since."""
        return ()

    def look_again(self) -> None:
        """Says that the array may have been edited; costs nothing until the state is asked for."""
        self._content.may_differ = True

    def state(self, cancel: CancelToken) -> object:
        """See `Series.state`: the hash of what the array holds, computed once until that changes."""
        content = self._content
        if content.may_differ:
            content.may_differ = False  # first: an edit from here on is for the next time
            sums = _sums(self.data, cancel)
            if sums is None or sums != content.sums:
                content.sums, content.scan_hash = sums, ""
        if not content.scan_hash:
            content.scan_hash = self.load(cancel=cancel).scan_hash()
        return content.scan_hash

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        return self._voxels(self.data)

    def _read_middle_slice(self, cancel: CancelToken) -> Voxels:
        if self.data.ndim == self.outline.voxels.ndim - 1:
            return self._voxels(self.data)
        axis = self.outline.slice_axis
        middle = self.grid[axis] // 2
        return self._voxels(self.data[(slice(None),) * axis + (slice(middle, middle + 1),)])

    def _voxels(self, data: Any) -> Voxels:
        array = np.asarray(data)
        if array.ndim == self.outline.voxels.ndim - 1:
            array = array[np.newaxis]
        if not self.outline.is_colour:
            return array.astype(np.float32, copy=False)
        return _eight_bits(array[..., :3])


@dataclass(slots=True)
class _Content:
    """What is known of an array that may be edited in place.

    Attributes:
        may_differ: Whether it may have been edited since it was looked at.
        sums: See `_sums`.
        scan_hash: See `Scan.scan_hash`; empty if it is not known.
    """

    may_differ: bool = True
    sums: bytes | None = None
    scan_hash: str = ""


def _sums(data: Any, cancel: CancelToken) -> bytes | None:
    """Returns the sums of all rows and columns, which an edit changes; ten times as fast as a hash.

    Returns:
        None for what is no plain array: its sums would have to be computed from what it stands for.
    """
    if not isinstance(data, np.ndarray) or data.dtype.itemsize not in _WORDS:
        return None
    digest = hashlib.sha256()
    for part in data if data.ndim > 2 else data[np.newaxis]:
        cancel.check()
        words = part.view(_WORDS[data.dtype.itemsize])  # NaN is a number like any other then
        for axis in (0, 1):
            digest.update(np.add.reduce(words, axis=axis, dtype=words.dtype).tobytes())
    return digest.digest()


def layer_series(layer: Image, order: tuple[int, ...] = (0, 1, 2)) -> LayerSeries:
    """Returns the series of an image layer.

    A layer of this plugin's readers gives its scan back. Any other layer is taken as it is
    shown: its scale and unit are its lengths, the axis under the slider is the slice axis. Which
    side of the patient its axes point to no layer tells: other readers leave RAS, LPS or neither.

    Args:
        layer: An image layer; one of more than three dimensions is refused when loaded.
        order: The viewer's ``dims.order``.
    """
    scan = scan_of_layer(layer)
    if scan is not None:
        return LayerSeries(outline=scan, source=Path(), data=scan.voxels)
    data = layer.data[0] if layer.multiscale else layer.data
    sizes = tuple(int(length) for length in (data.shape[:-1] if layer.rgb else data.shape))
    if len(sizes) not in (2, 3):
        refusal = StudyError(Code.UNSUPPORTED_PIXELS, _DIMENSIONS)
        return LayerSeries(outline=_outline(layer, (1, 1, 1)), source=Path(), refusal=refusal, data=data)
    slices, rows, columns = sizes if len(sizes) == 3 else (1, *sizes)
    affine, in_mm = _affine(layer)
    outline = _outline(
        layer,
        (slices, rows, columns),
        affine=affine,
        has_geometry=in_mm,
        sides_known=False,
        slice_axis=_slice_axis(order) if len(sizes) == 3 else 0,
    )
    return LayerSeries(outline=outline, source=Path(), data=data)


def _eight_bits(colours: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Returns colours of any depth as napari shows them.

    Raises:
        StudyError: UNSUPPORTED_PIXELS if they are neither numbers from 0 to 1 nor of 8 or 16 bits;
            NOT_FINITE, since eight bits cannot say "not measured".
    """
    if np.issubdtype(colours.dtype, np.floating):  # napari shows 0 to 1
        if not np.isfinite(colours).all():
            raise StudyError(Code.NOT_FINITE)
        colours = (np.clip(colours, 0, 1) * 255).round()
    elif colours.dtype == np.uint16:  # dark ones too: their type tells the depth
        colours = colours >> 8
    elif not np.issubdtype(colours.dtype, np.integer) or colours.min() < 0 or colours.max() > 255:
        raise StudyError(Code.UNSUPPORTED_PIXELS, _COLOURS)
    return colours.astype(np.uint8, copy=False)


def _outline(layer: Image, grid: tuple[int, int, int], **geometry: Any) -> Scan:
    photometric = Photometric.COLOUR if layer.rgb else Photometric.DARK_TO_BRIGHT
    if not layer.rgb and layer.colormap.name in _REVERSED_GREYS:
        photometric = Photometric.BRIGHT_TO_DARK
    settings: dict[str, Any] = {"affine": np.eye(4), "has_geometry": False, "sides_known": False, **geometry}
    identity = SeriesIdentity(description=layer.name)
    return Scan(outline_voxels(grid, photometric), photometric=photometric, identity=identity, **settings)


def _slice_axis(order: tuple[int, ...]) -> int:
    """Returns which of the last three axes of the viewer is under the slider."""
    return next(axis - (len(order) - 3) for axis in order if axis >= len(order) - 3)


def _affine(layer: Image) -> tuple[Affine, bool]:
    """Returns the affine of the layer as a volume, and whether it is in millimetres."""
    ndim = layer.ndim
    origin = np.array(layer.data_to_world(np.zeros(ndim)), dtype=np.float64)
    steps = np.array([layer.data_to_world(unit) for unit in np.eye(ndim)]) - origin
    to_mm = _millimetres(layer)
    matrix = np.eye(4)
    matrix[3 - ndim : 3, 3 - ndim : 3] = steps.T * (to_mm or 1.0)
    matrix[3 - ndim : 3, 3] = origin * (to_mm or 1.0)
    if to_mm is None:
        return np.diag([*np.linalg.norm(matrix[:3, :3], axis=0), 1.0]), False
    if ndim == 2:  # a flat image tells no thickness: as thick as its pixels are wide
        matrix[0, 0] = np.sqrt(np.prod(np.linalg.norm(matrix[:3, 1:3], axis=0)))
    return matrix, True


def _millimetres(layer: Image) -> float | None:
    """Returns the length of the layer's unit, or None if it is not one length for all axes."""
    units = set(layer.units)
    if len(units) != 1 or not (unit := units.pop()).is_compatible_with("mm"):
        return None
    return float((1 * unit).to("mm").magnitude)
