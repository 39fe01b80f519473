"""Runs detections one after the other and keeps what the next one can use again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from napari_d24fad.detection.encoding.devices import device_faults, return_memory
from napari_d24fad.detection.references.pairing import MIN_REFERENCES
from napari_d24fad.detection.result import FloatArray
from napari_d24fad.errors import Cancelled, Code, ModelError, PairingError
from napari_d24fad.export.colours import anomaly_limits
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.session.basis import Basis
from napari_d24fad.session.encodings import SPARE
from napari_d24fad.session.request import Examination, Request

if TYPE_CHECKING:
    from napari_d24fad.detection.encoding.encoded import EncodedScan
    from napari_d24fad.detection.explain import Explanation
    from napari_d24fad.detection.published import Distance, PublishedDistances
    from napari_d24fad.detection.references.reference_set import References
    from napari_d24fad.detection.references.regions import Region
    from napari_d24fad.detection.streaming import PartialMap
    from napari_d24fad.network.inference import Precision
    from napari_d24fad.session.held import Held
    from napari_d24fad.session.loaded import Loaded


class DetectionSession:
    """Keeps the model, the encoded scans and what the last examination was made from.

    Its methods are meant for a worker thread. The first run imports torch, this module does not.

    Args:
        spare: How many encoded scans to keep beside those of the last run.
        leaves_a_core: Whether torch leaves one core to others, such as a window that must not freeze.
    """

    def __init__(self, *, spare: int = SPARE, leaves_a_core: bool = True) -> None:
        self._spare, self._leaves_a_core = spare, leaves_a_core
        self._lock = threading.Lock()
        self._release_asked = False
        self._loaded: Loaded | None = None
        self.precision: Precision | None = None
        """What features are computed with from the next run on; see `Encoder`."""
        # A basis goes as soon as nobody holds its examination.
        self._bases: WeakKeyDictionary[Examination, Basis] = WeakKeyDictionary()

    def run(
        self,
        request: Request,
        progress: Progress,
        cancel: CancelToken,
        show: Callable[[PartialMap], None] | None = None,
        start: int | None = None,
    ) -> Examination:
        """Examines the query; encodes only scans that were not encoded before.

        Args:
            request: What to examine, and how.
            progress: Told how far this is.
            cancel: Stops it.
            show: Given the map of a volume while it is computed, in the thread that calls this.
            start: The slice to begin with, along the slice axis of the scan; None for the middle.

        Raises:
            D24fadError: Why there is no result.
            Cancelled: If a stop was asked for.
        """
        started = time.perf_counter()
        progress(0.0, "Loading the model")
        with self._alone(request, cancel):
            loaded = self._load(request)
            cancel.check()
            query, encoded = loaded.encode(request, show, start, part(progress, 0.05, 0.7), cancel)
            references = loaded.reference_set(request, encoded, part(progress, 0.7, 0.85), cancel)
            return self._examine(request, query, references, started, part(progress, 0.85, 1.0), cancel)

    def prepare(self, request: Request, progress: Progress, cancel: CancelToken) -> None:
        """Encodes and measures the references of a request, so that what is wrong with them is said first.

        Args:
            request: Its query is not looked at.
            progress: Told how far this is.
            cancel: Stops it.

        Raises:
            D24fadError: Why these references cannot be used.
            Cancelled: If a stop was asked for.
        """
        progress(0.0, "Loading the model")
        with self._alone(request, cancel):
            self._load(request).prepare(request, part(progress, 0.05, 1.0), cancel)

    def rescore(self, request: Request, progress: Progress, cancel: CancelToken) -> Examination:
        """Examines the scan of the last examination with other references; computes only what is new.

        Features stay centred and scaled by the references of the last `run`; the result says so.

        Raises:
            D24fadError: Why there is no result.
            Cancelled: If a stop was asked for, or there is no examination of this scan.
        """
        started = time.perf_counter()
        with self._alone(request, cancel):
            basis = self._basis_for(request)
            loaded = self._load(request)
            query, encoded = loaded.encode(request, None, None, part(progress, 0, 0.5), cancel)
            alignment = basis.references.alignment
            references = loaded.preview_set(request, encoded, alignment, part(progress, 0.5, 0.7), cancel)
            return self._examine(request, query, references, started, part(progress, 0.7, 1.0), cancel)

    def score_slice(self, request: Request, slice_index: int, cancel: CancelToken) -> FloatArray | None:
        """Scores one slice of the last examination's scan with other references, at once.

        Args:
            request: With other references, or other shares.
            slice_index: Along the slice axis of the scan.
            cancel: Stops it.

        Returns:
            The map of the slice, ``(1, rows, columns)`` upright; None where that would take long: a
            reference was not there before, or the slice was not examined.
        """
        from napari_d24fad.detection.examination import examine_slice  # imports torch

        with self._alone(request, cancel):
            basis = self._basis_for(request)
            if basis.held is not None or request.regions or request.abnormal:
                return None  # a map of the atlas, of a region, or beside examples, comes as a whole
            references = self._load(request).encodings.kept(request.references, cancel)
            query, alignment = basis.query, basis.references.alignment
            index = query.own_index(slice_index)
            if references is None or index not in query.indices or not alignment.knows(query, references):
                return None
            shares = request.shares or (1.0,) * len(references)
            compared = alignment.compare(query, references)
            return examine_slice(compared, query.indices.index(index), basis.references, shares)

    def explain(self, examination: Examination, slice_index: int, cancel: CancelToken) -> Explanation:
        """Explains one slice of an examination.

        Args:
            examination: Of `run` or `rescore`.
            slice_index: Along the slice axis of the scan.
            cancel: Stops it.

        Raises:
            D24fadError: If the slice was not examined.
            Cancelled: If a stop was asked for, or everything was let go of since.
        """
        from napari_d24fad.detection.explain import explain  # imports torch

        with device_faults():
            return explain(self._distances(examination, cancel), slice_index, cancel)

    def draw_distance(
        self,
        examination: Examination,
        distance: Distance,
        values: FloatArray,
        slices: range,
        cancel: CancelToken,
    ) -> float:
        """Writes SSD or TSD of a few slices of an examination into a map of its scan; their highest value.

        Args:
            examination: Of `run` or `rescore`.
            distance: Which of the two.
            values: On the grid of the scan.
            slices: Along the slice axis of the scan.
            cancel: Stops it.

        Raises:
            Cancelled: If a stop was asked for, or everything was let go of since.
        """
        with device_faults():
            highest = self._distances(examination, cancel).draw(values, slices, distance)
        if examination.anomaly.region is not None:  # nothing outside the region was examined
            values[np.isnan(examination.anomaly.values)] = np.nan
        return highest

    def held(self, examination: Examination) -> Held | None:
        """Returns what the map of an examination was made from, place by place; None of features.

        Raises:
            Cancelled: If everything was let go of since.
        """
        return self._basis_of(examination).held

    def regions(self, examination: Examination, level: float, cancel: CancelToken) -> tuple[Region, ...]:
        """Finds the regions of an examination at another level.

        Raises:
            Cancelled: If a stop was asked for, or everything was let go of since.
        """
        cancel.check()
        return self._basis_of(examination).regions(examination.anomaly, level)

    def release(self) -> None:
        """Lets go of the model and of all features, and gives a GPU's memory back; a later run begins anew.

        Never waits: what is in use by a run goes when that ends.
        """
        self._release_asked = True
        self._release_if_asked()

    @contextmanager
    def _alone(self, request: Request, cancel: CancelToken) -> Iterator[None]:
        if len(request.references) < MIN_REFERENCES:
            raise PairingError(Code.TOO_FEW_REFERENCES, f"{len(request.references)} marked.")
        # An earlier run that was cancelled may still be on its way out.
        while not self._lock.acquire(timeout=0.1):
            cancel.check()
        try:
            with device_faults():
                yield
        except ModelError as error:
            if error.code is Code.DEVICE_LOST:
                self._forget()
            raise
        finally:
            self._lock.release()
            self._release_if_asked()

    def _release_if_asked(self) -> None:
        # Where the lock is held, the run that holds it comes here when it ends.
        if self._release_asked and self._lock.acquire(blocking=False):
            try:
                self._release_asked = False
                was_loaded = self._loaded is not None
                self._forget()
                if was_loaded:
                    return_memory()
            finally:
                self._lock.release()

    def _forget(self) -> None:
        """Lets go of all that may lie in the memory of a device."""
        self._loaded = None
        self._bases.clear()

    def _examine(
        self,
        request: Request,
        query: EncodedScan,
        references: References,
        started: float,
        progress: Progress,
        cancel: CancelToken,
    ) -> Examination:
        from napari_d24fad.detection.published import PublishedDistances  # imports torch

        assert self._loaded is not None  # it encoded the query
        query, anomaly, held = self._loaded.examine(request, query, references, progress, cancel)
        anomaly = replace(anomaly, seconds=time.perf_counter() - started)
        examination = Examination(request, query.scan, anomaly, anomaly_limits(anomaly))
        distances = PublishedDistances(self._loaded.detector, query, references)
        self._bases[examination] = Basis(request, distances, held)
        return examination

    def _distances(self, examination: Examination, cancel: CancelToken) -> PublishedDistances:
        """Returns the distances of features; where the atlas made the map, most are encoded only now."""
        basis = self._basis_of(examination)
        if not basis.query.is_whole:
            with self._alone(basis.request, cancel):  # no run meanwhile; of two that ask at once one encodes
                basis = self._basis_of(examination).whole(self._loaded, cancel)
                self._bases[examination] = basis
        return basis.distances

    def _basis_for(self, request: Request) -> Basis:
        for basis in reversed(list(self._bases.values())):
            if request.differs_in_references_only(basis.request):
                return basis
        raise Cancelled

    def _basis_of(self, examination: Examination) -> Basis:
        basis = self._bases.get(examination)
        if basis is None:
            raise Cancelled
        return basis

    def _load(self, request: Request) -> Loaded:
        known = None if self._loaded is None else (self._loaded.setting, self._loaded.precision)
        if self._loaded is None or known != (request.setting, self.precision):
            from napari_d24fad.session.loaded import Loaded, leave_a_core  # imports torch

            if self._leaves_a_core:
                leave_a_core()
            self._loaded = None  # goes before the next comes
            self._loaded = Loaded(request, self._spare, precision=self.precision)
        return self._loaded
