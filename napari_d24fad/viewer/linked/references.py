"""Reads the reference that is most like a slice, for a view beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, Signal

from napari_d24fad.errors import D24fadError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.viewer.running.workers import Worker

if TYPE_CHECKING:
    from napari_d24fad.session.places import Places


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceSlice:
    """A slice of a reference.

    Attributes:
        reference_index: Which, from 0.
        slice_index: Of the scan that it belongs to.
        picture: ``(rows, columns)`` or ``(rows, columns, 3)``, upright, in the window that was examined.
        step: Millimetres from row to row and from column to column.
        is_aligned: Whether it was read at the voxels of the scan: then a place in one is that in the other.
    """

    reference_index: int
    slice_index: int
    picture: npt.NDArray[np.generic] = field(repr=False)
    step: tuple[float, float]
    is_aligned: bool


class BestReference(QObject):
    """Finds the slice in the background; only the last that was asked for is told.

    Args:
        session: Has the scans of the examination encoded.
    """

    found = Signal(object)
    """The `ReferenceSlice`."""
    failed = Signal(str)
    """Why there is none."""

    def __init__(self, session: DetectionSession) -> None:
        super().__init__()
        self._session = session
        self._places: Places | None = None
        self._worker: Worker | None = None

    def want(self, examination: Examination, slice_index: int) -> None:
        """Asks for the reference beside a slice, given along the slice axis of the scan."""
        self.discard()
        session = self._session

        def work(progress: Progress, cancel: CancelToken) -> ReferenceSlice:
            if examination.anomaly.plan:
                from napari_d24fad.session.places import Places, PlaceWish  # imports scipy

                if self._places is None:
                    self._places = Places(session)
                told = self._places.explain(examination, PlaceWish(slice_index), cancel)
                return ReferenceSlice(
                    told.reference_index, slice_index, told.reference_image, told.pixel, True
                )
            why = session.explain(examination, slice_index, cancel)
            return ReferenceSlice(
                why.reference_index, slice_index, why.reference_image, why.reference_pixel, False
            )

        self._worker = Worker(work)
        self._worker.returned.connect(self.found)
        self._worker.failed.connect(self._fail)
        self._worker.start()

    def forget(self) -> None:
        """Lets go of the references that were read."""
        self.discard()
        self._places = None

    def discard(self) -> None:
        """Stops looking."""
        if self._worker is not None:
            self._worker.discard()
            self._worker = None

    def _fail(self, error: D24fadError) -> None:
        self.failed.emit(str(error))
