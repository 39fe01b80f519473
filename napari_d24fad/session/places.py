"""Explains places of examinations that were made place by place: the scan beside an aligned reference."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_d24fad.detection.atlas.anomaly import drawn
from napari_d24fad.detection.atlas.why import (
    Agreement,
    Index,
    ValueAtPlace,
    agreement,
    aligned_slice,
    most_alike,
    value_at,
)
from napari_d24fad.detection.encoding.intensity import window_of
from napari_d24fad.detection.result import FloatArray
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session.request import Examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.orientation import canonical, canonical_orientation
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PlaceWish:
    """What is to be explained.

    Attributes:
        slice_index: Along the slice axis of the scan.
        place: Array index in the scan; None for the highest value of the map in the slice.
        reference: Which reference to show, from 0; None for the one that lies best on the scan.
        beside: Name of the plan of the map beside the joined one that is explained; empty for the joined one.
    """

    slice_index: int
    place: Index | None = None
    reference: int | None = None
    beside: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PlaceExplanation:
    """A place explained. Pictures are upright, as `studies.orientation` defines it.

    Attributes:
        slice_index: Along the slice axis of the scan.
        place: Array index in the scan.
        reference_index: The reference that is shown, from 0.
        query_image: ``(rows, columns)``, the slice of the scan in the window that was examined.
        reference_image: The same of the reference, read at the voxels of the scan; black where it shows
            nothing.
        pixel: Row and column spacing of both in mm.
        mark: Row and column of the place in both.
        aligned: The reference in the slice, in the order of the scan, its slice axis of length 1, in units
            of the scan; NaN where it shows nothing.
        value: The value at the place against the references'.
        agreement: How well scan and reference lie on each other.
        how: How they were placed; see `Place.how`.
        partial: Whether only a part of the anatomy is seen in the scan.
    """

    slice_index: int
    place: Index
    reference_index: int
    query_image: Picture = field(repr=False)
    reference_image: Picture = field(repr=False)
    pixel: tuple[float, float]
    mark: tuple[float, float]
    aligned: FloatArray = field(repr=False)
    value: ValueAtPlace
    agreement: Agreement
    how: str
    partial: bool


class Places:
    """Explains places; keeps the reference that was read last.

    Args:
        session: Made the examinations.
    """

    def __init__(self, session: DetectionSession) -> None:
        self._session = session
        self._read: tuple[Series, Scan] | None = None

    def forget(self) -> None:
        """Lets go of the reference that was read."""
        self._read = None

    def explain(self, examination: Examination, wish: PlaceWish, cancel: CancelToken) -> PlaceExplanation:
        """Explains a place; reads the reference from its files.

        Args:
            examination: Made place by place.
            wish: What to explain.
            cancel: Stops it.

        Raises:
            ArgumentError: BAD_ARGUMENT if it was not made so, or the slice was not examined.
            D24fadError: The reference cannot be read.
            Cancelled: If a stop was asked for, or everything was let go of since.
        """
        held = self._session.held(examination)
        scan, at = examination.scan, wish.slice_index
        if held is not None and wish.beside:
            held = held.beside(wish.beside)
        place = wish.place
        if place is None and held is not None:
            values = drawn(held.found) if wish.beside else examination.anomaly.values
            place = _highest(values, scan.slice_axis, at)
        if held is None or place is None:
            raise ArgumentError(Code.BAD_ARGUMENT, f"Slice {at + 1} was not examined place by place.")
        volume, scans = held.found.volume, held.references.scans
        chosen = most_alike(volume, scans) if wish.reference is None else wish.reference
        reference = self._loaded(examination.request.references[chosen], cancel)
        cancel.check()
        aligned = aligned_slice(volume, scans[chosen].volume, scan, reference, at)
        upright, orientation = canonical(scan), canonical_orientation(scan)
        window = window_of(upright, examination.request.window)
        row, column = _upright(place, scan)[1:]
        own: list[slice] = [slice(None)] * 3
        own[scan.slice_axis] = slice(at, at + 1)
        pictures = []
        for values in (np.asarray(scan.voxels[tuple(own)], np.float32), aligned):
            shown = orientation.apply(values)[0]
            unit = np.where(np.isfinite(shown), window.apply(np.nan_to_num(shown)), 0)
            pictures.append((255 * unit).round().astype(np.uint8))
        return PlaceExplanation(
            slice_index=at,
            place=place,
            reference_index=chosen,
            query_image=pictures[0],
            reference_image=pictures[1],
            pixel=(upright.spacing[1], upright.spacing[2]),
            mark=(row, column),
            aligned=aligned,
            value=value_at(held.found, held.references, place),
            agreement=agreement(volume, scans[chosen].volume),
            how=volume.place.how,
            partial=volume.place.partial,
        )

    def _loaded(self, series: Series, cancel: CancelToken) -> Scan:
        read = self._read
        if read is None or read[0] is not series:
            self._read = read = (series, series.load(silent, cancel))
        return read[1]


def _highest(values: FloatArray, slice_axis: int, slice_index: int) -> Index | None:
    """Returns where a map is highest in a slice; None where it says nothing."""
    plane = np.take(values, slice_index, axis=slice_axis)
    if not np.isfinite(plane).any():
        return None
    index = [int(i) for i in np.unravel_index(int(np.nanargmax(plane)), plane.shape)]
    index.insert(slice_axis, slice_index)
    return index[0], index[1], index[2]


def _upright(place: Index, scan: Scan) -> tuple[float, float, float]:
    """Returns where a voxel of a scan is in canonical order."""
    matrix = np.linalg.inv(canonical_orientation(scan).index_transform(scan.grid))
    first, second, third = (float(value) for value in (matrix @ [*place, 1.0])[:3])
    return first, second, third
