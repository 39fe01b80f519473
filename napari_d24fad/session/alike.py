"""Where a scan is most like an abnormal example: a slice of each, with the place that is meant."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_d24fad.detection.encoding.intensity import CtWindow, window_of
from napari_d24fad.detection.result import Patch
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session.request import Examination
from napari_d24fad.studies.orientation import canonical, canonical_orientation
from napari_d24fad.studies.scan import Scan

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class PlaceInSlice:
    """A place in a slice, upright as `studies.orientation` defines it.

    Attributes:
        slice_index: Along the slice axis of the scan, from 0.
        image: ``(rows, columns)`` or ``(rows, columns, 3)``, in the window that was examined.
        pixel: Row and column spacing in mm (pixels without geometry).
        box: First row, first column, last row and last column of the place in `image`.
    """

    slice_index: int
    image: npt.NDArray[np.uint8] = field(repr=False)
    pixel: tuple[float, float]
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """A place of a scan and the place in an abnormal example that it is most like.

    Attributes:
        example_index: Which of the abnormal examples, from 0.
        kind: Of that example; empty for one without a name.
        query: The place in the scan that was examined.
        example: The place in the example.
    """

    example_index: int
    kind: str
    query: PlaceInSlice
    example: PlaceInSlice


def most_like(examination: Examination, cancel: CancelToken) -> Alike:
    """Shows by which places a scan is like the example it is most like; reads the example from its files.

    Raises:
        ArgumentError: BAD_ARGUMENT if there were no examples, or the scan is like none of them.
        D24fadError: The example cannot be read.
        Cancelled: If a stop was asked for.
    """
    evidence, request = examination.anomaly.examples, examination.request
    if evidence is None or evidence.place is None or evidence.example_place is None:
        raise ArgumentError(Code.BAD_ARGUMENT, "The scan is like no abnormal example.")
    example = request.abnormal[evidence.nearest].series.load(silent, cancel)
    cancel.check()
    return Alike(
        evidence.nearest,
        evidence.kind,
        _in_slice(examination.scan, evidence.place, request.window),
        _in_slice(example, evidence.example_place, request.window),
    )


def _in_slice(scan: Scan, place: Patch, window: CtWindow) -> PlaceInSlice:
    upright, orientation = canonical(scan), canonical_orientation(scan)
    corners = np.array([[*place.first, 1], [*place.last, 1], [*place.centre, 1]])
    turned = corners @ np.linalg.inv(orientation.index_transform(scan.grid)).T
    one, other, centre = turned.round().astype(int)[:, :3].tolist()
    image = (255 * window_of(upright, window).apply(upright.voxels[centre[0]])).round().astype(np.uint8)
    box = (
        float(min(one[1], other[1])),
        float(min(one[2], other[2])),
        float(max(one[1], other[1])),
        float(max(one[2], other[2])),
    )
    return PlaceInSlice(place.centre[scan.slice_axis], image, upright.spacing[1:], box)
