"""Runs detections one after the other and keeps what the next one can use again."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from napari_d24fad.detection.calibration import MIN_REGION
from napari_d24fad.detection.pairing import MIN_REFERENCES
from napari_d24fad.detection.regions import Region, find_regions
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Cancelled, Code, PairingError
from napari_d24fad.export.colours import anomaly_limits
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.settings import features_folder, features_limit
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.encodings import Encodings

if TYPE_CHECKING:
    from napari_d24fad.detection.detector import Detector
    from napari_d24fad.detection.encoded import EncodedScan
    from napari_d24fad.detection.explain import Explanation
    from napari_d24fad.detection.kept_references import KeptReferences
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


@dataclass(frozen=True, slots=True, eq=False)
class _Basis:
    """What a finding was made from."""

    finding: Finding
    detector: Detector
    query: EncodedScan
    references: References


class DetectionSession:
    """Keeps the model, the encoded scans and what the last finding was made from.

    Free of Qt; its methods are meant for a worker thread. Torch is imported by the first run,
    never by importing this module.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._detector: Detector | None = None
        self._detector_key: tuple[str, str] | None = None
        self._encodings: Encodings | None = None
        self._kept_references: KeptReferences | None = None
        self._references: References | None = None
        self._basis: _Basis | None = None

    def run(self, request: Request, progress: Progress, cancel: CancelToken) -> Finding:
        """Examines the query; encodes only scans that were not encoded before.

        Raises:
            D24fadError: Why there is no result.
            Cancelled: If a stop was asked for.
        """
        if len(request.references) < MIN_REFERENCES:
            raise PairingError(Code.TOO_FEW_REFERENCES, f"{len(request.references)} marked.")
        started = time.perf_counter()
        progress(0.0, "Loading the model")
        # An earlier run that was cancelled may still be on its way out.
        while not self._lock.acquire(timeout=0.1):
            cancel.check()
        try:
            detector, encodings = self._load(request)
            cancel.check()
            encode = part(progress, 0.05, 0.7)
            query, encoded = encodings.of(request.query, request.references, encode, cancel)
            references = self._reference_set(encoded, part(progress, 0.7, 0.85), cancel)
            anomaly = detector.examine(query, references, progress=part(progress, 0.85, 1.0), cancel=cancel)
            anomaly = replace(anomaly, seconds=time.perf_counter() - started)
            finding = Finding(request, query.scan, anomaly, anomaly_limits(anomaly))
            self._basis = _Basis(finding, detector, query, references)
        finally:
            self._lock.release()
        return finding

    def explain(self, finding: Finding, slice_index: int, cancel: CancelToken) -> Explanation:
        """Explains one slice of the last finding.

        Args:
            finding: Of the last `run`.
            slice_index: Along the slice axis of the scan.
            cancel: Stops it.

        Raises:
            D24fadError: If the slice was not examined.
            Cancelled: If a stop was asked for, or there was another run since.
        """
        from napari_d24fad.detection.explain import explain  # imports torch

        basis = self._basis_of(finding)
        return explain(basis.detector, basis.query, basis.references, slice_index, cancel)

    def regions(self, finding: Finding, level: float, cancel: CancelToken) -> tuple[Region, ...]:
        """Finds the regions of the last finding at another level.

        Raises:
            Cancelled: If a stop was asked for, or there was another run since.
        """
        basis = self._basis_of(finding)
        cancel.check()
        return find_regions(
            finding.anomaly.values,
            finding.scan,
            level,
            MIN_REGION * basis.query.prepared.sampling.voxels_per_input,
            basis.references.calibration.peaks,
        )

    def _basis_of(self, finding: Finding) -> _Basis:
        basis = self._basis
        if basis is None or basis.finding is not finding:
            raise Cancelled
        return basis

    def _load(self, request: Request) -> tuple[Detector, Encodings]:
        key = (request.model, request.device)
        if self._detector is None or self._encodings is None or self._detector_key != key:
            from napari_d24fad.detection.detector import Detector
            from napari_d24fad.detection.feature_cache import FeatureCache
            from napari_d24fad.detection.kept_references import KeptReferences

            _leave_a_core_for_the_viewer()
            self._references, self._encodings = None, None
            self._detector = Detector.load(request.model, request.device)
            cache = FeatureCache(features_folder(), features_limit())
            self._kept_references = KeptReferences(self._detector, cache)
            self._encodings = Encodings(self._detector, self._kept_references)
            self._detector_key = key
        return self._detector, self._encodings

    def _reference_set(
        self, encoded: tuple[EncodedScan, ...], progress: Progress, cancel: CancelToken
    ) -> References:
        assert self._kept_references is not None  # made with the encodings
        # An `EncodedScan` is kept as long as its scan is the same, and equal to no other.
        if self._references is None or self._references.encoded != encoded:
            self._references = self._kept_references.reference_set(encoded, progress=progress, cancel=cancel)
        return self._references


def _leave_a_core_for_the_viewer() -> None:
    """Keeps torch from taking every core: threads that wait for each other would also stall the GUI."""
    import torch

    torch.set_num_threads(max(1, min(torch.get_num_threads(), (os.cpu_count() or 1) - 1)))
