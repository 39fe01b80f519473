"""Runs detections one after the other and keeps what the next one can use again."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_d24fad.detection.pairing import MIN_REFERENCES, check_pairing
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.export.colours import anomaly_limits
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.layer_series import LayerSeries

if TYPE_CHECKING:
    from napari_d24fad.detection.detector import Detector
    from napari_d24fad.detection.references import References


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What the user asked for.

    Attributes:
        query: The series to examine.
        references: The series marked as normal.
        model: Name of the model.
        device: Name of the device, or ``"auto"``.
    """

    query: Series
    references: tuple[Series, ...]
    model: str
    device: str


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """What came of a request.

    Attributes:
        request: What was asked for.
        scan: The scan that was examined.
        anomaly: The result.
        limits: Values at the ends of the colour scale; worked out with the result, because
            that takes too long for the GUI thread with large volumes.
    """

    request: Request
    scan: Scan = field(repr=False)
    anomaly: AnomalyMap
    limits: tuple[float, float]


class DetectionSession:
    """Keeps the model and the encoded references between runs.

    Free of Qt; `run` is meant for a worker thread. Torch is imported by the first run, never
    by importing this module.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._detector: Detector | None = None
        self._detector_key: tuple[str, str] | None = None
        self._references: References | None = None
        self._references_key: tuple[object, ...] | None = None

    def run(self, request: Request, progress: Progress, cancel: CancelToken) -> Finding:
        """Examines the query; encodes the references only if they, model or device changed.

        Raises:
            D24fadError: Why there is no result.
            Cancelled: If a stop was asked for.
        """
        if len(request.references) < MIN_REFERENCES:
            raise PairingError(Code.TOO_FEW_REFERENCES, f"{len(request.references)} marked.")
        progress(0.0, "Loading the model")
        # An earlier run that was cancelled may still be on its way out.
        while not self._lock.acquire(timeout=0.1):
            cancel.check()
        try:
            detector = self._load(request)
            cancel.check()
            scan = request.query.load(part(progress, 0.05, 0.1), cancel)
            references = self._encode(detector, request, scan, part(progress, 0.1, 0.6), cancel)
            anomaly = detector.detect(scan, references, progress=part(progress, 0.6, 1.0), cancel=cancel)
        finally:
            self._lock.release()
        return Finding(request, scan, anomaly, anomaly_limits(anomaly))

    def _load(self, request: Request) -> Detector:
        key = (request.model, request.device)
        if self._detector is None or self._detector_key != key:
            from napari_d24fad.detection.detector import Detector

            _leave_a_core_for_the_viewer()
            self._references, self._references_key = None, None
            self._detector = Detector.load(request.model, request.device)
            self._detector_key = key
        return self._detector

    def _encode(
        self, detector: Detector, request: Request, query: Scan, progress: Progress, cancel: CancelToken
    ) -> References:
        key = tuple(_identity(series, cancel) for series in request.references)
        if self._references is None or self._references_key != key:
            count = max(len(request.references), 1)
            scans = [
                series.load(part(progress, 0.5 * index / count, 0.5 * (index + 1) / count), cancel)
                for index, series in enumerate(request.references)
            ]
            check_pairing(query, scans)  # a wrong pairing is refused before the long encoding
            self._references = detector.encode(scans, progress=part(progress, 0.5, 1.0), cancel=cancel)
            self._references_key = key
        return self._references


def _leave_a_core_for_the_viewer() -> None:
    """Keeps torch from taking every core: threads that wait for each other would also stall the GUI."""
    import torch

    torch.set_num_threads(max(1, min(torch.get_num_threads(), (os.cpu_count() or 1) - 1)))


def _identity(series: Series, cancel: CancelToken) -> object:
    """Returns what is equal as long as the pixels are.

    A file series reads the same file each time. The array of a layer may be edited in place
    without anybody being told, so its content counts.
    """
    if isinstance(series, LayerSeries):
        return series.load(cancel=cancel).content_hash()
    return series
