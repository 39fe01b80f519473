"""What an examination was made from, kept as long as the examination is in use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session.request import Request

if TYPE_CHECKING:
    from napari_d24fad.detection.encoding.encoded import EncodedScan
    from napari_d24fad.detection.published import PublishedDistances
    from napari_d24fad.detection.references.reference_set import References
    from napari_d24fad.detection.references.regions import Region
    from napari_d24fad.detection.result import AnomalyMap
    from napari_d24fad.session.held import Held
    from napari_d24fad.session.loaded import Loaded


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What an examination was made from.

    Attributes:
        request: What was asked for.
        distances: The query beside the references, by features.
        held: The same place by place, where its kind of study has a plan.
    """

    request: Request
    distances: PublishedDistances
    held: Held | None

    def whole(self, loaded: Loaded | None, cancel: CancelToken) -> Basis:
        """Returns the same with all slices of the query encoded.

        Args:
            loaded: What is loaded now: it keeps them for other examinations of the scan.
            cancel: Stops it.

        Raises:
            D24fadError: See `Detector.encode_scan`.
            Cancelled: If a stop was asked for.
        """
        detector = self.distances.detector
        if loaded is not None and loaded.detector is detector:
            query = loaded.encodings.whole(self.query, silent, cancel)
        else:  # another model was loaded since
            query = detector.encode_scan(self.query.scan, cancel=cancel)
        return replace(self, distances=self.distances.of(query))

    def regions(self, anomaly: AnomalyMap, level: float) -> tuple[Region, ...]:
        """Finds the regions of the examination's map at a level."""
        if self.held is not None:
            return self.held.regions(level)
        # Beside abnormal examples references show other values.
        references = replace(self.references, calibration=anomaly.calibration or self.references.calibration)
        return references.regions(self.query, anomaly.values, level)

    @property
    def query(self) -> EncodedScan:
        """The scan that was examined."""
        return self.distances.query

    @property
    def references(self) -> References:
        """What it was compared with."""
        return self.distances.references
