"""The published distances of slices, SSD and TSD, from what was kept of them and of the references."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.detection.encoding.encoded import Encoded, EncodedScan, supports_at
from napari_d24fad.detection.references.calibration import FloatArray
from napari_d24fad.detection.references.null import smooth
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.detection.scoring.matched import MatchedScoring, copying_distances, student
from napari_d24fad.detection.scoring.paper import PaperScoring
from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.losses import distance_maps, enlarge
from napari_d24fad.network.rounding import whole_float32

Distance = Literal["SSD", "TSD"]
SSD: Distance = "SSD"
TSD: Distance = "TSD"

_METHOD = PaperScoring()


class PublishedDistances:
    """The distances of one query to one set of references, a few slices at a time.

    With the default scoring they are those of the middle and the coarse scale, which it keeps, and
    each reference gives the slice nearest in level. With the published one they are all three, and
    the references' slices are those of the score.

    Args:
        detector: What encoded both.
        query: The scan that was examined.
        references: What it was examined with.

    Attributes:
        detector: As given.
        query: As given.
        references: As given.
    """

    def __init__(self, detector: Detector, query: EncodedScan, references: References) -> None:
        self.detector = detector
        self.query = query
        self.references = references
        self._is_matched = isinstance(references.scoring, MatchedScoring)

    @property
    def names(self) -> tuple[Distance, ...]:
        """The distances that there are; none with a teacher alone."""
        return (SSD, TSD) if self.detector.network.has_student else ()

    def of(self, query: EncodedScan) -> PublishedDistances:
        """Returns the distances of the same scan with other slices of it encoded."""
        return PublishedDistances(self.detector, query, self.references)

    def position_of(self, slice_index: int) -> int | None:
        """Returns where a slice is among those encoded; None if it was not examined.

        Args:
            slice_index: Along the slice axis of the scan.
        """
        index = self.query.own_index(slice_index)
        return self.query.indices.index(index) if index in self.query.indices else None

    @torch.inference_mode()
    def of_slices(self, chosen: slice, distance: Distance) -> FloatArray:
        """Computes a distance of some slices, summed over scales and smoothed as published.

        Args:
            chosen: Which of the encoded slices; a few, each takes some MB.
            distance: Which of the two.

        Returns:
            ``(n, rows, columns)`` upright on the pixels of the slices, at least 0, NaN where not examined.

        Raises:
            ModelError: NO_STUDENT if there are none.
        """
        if not self.names:
            raise ModelError(Code.NO_STUDENT)
        prepared = self.query.prepared
        own, side = self.query.encoded.part(chosen).on(self.detector.device), prepared.sampling.side
        maps = self._ssd(own, side) if distance == SSD else self._tsd(own, chosen, side)
        smoothed = smooth(maps.sum(dim=1), _METHOD.smoothing)
        return prepared.to_slices(smoothed, self.query.indices[chosen])

    def draw(self, values: FloatArray, slices: range, distance: Distance) -> float:
        """Writes a distance of some slices into a map of the whole scan; nothing where not examined.

        Args:
            values: ``(slices, rows, columns)`` on the grid of the scan.
            slices: A few neighbours along the slice axis of the scan.
            distance: Which of the two.

        Returns:
            The highest value of these slices.
        """
        known = [at for at in map(self.position_of, slices) if at is not None]
        if not known:
            return 0.0
        chosen = slice(min(known), max(known) + 1)
        drawn = self.of_slices(chosen, distance)
        drawn[np.isnan(drawn)] = 0
        self.query.prepared.orientation.apply(values)[list(self.query.indices[chosen])] = drawn
        return float(drawn.max())

    def _ssd(self, own: Encoded, side: int) -> Tensor:
        """One map per scale, ``(n, scales, side, side)``."""
        references, levels = self.references, own.levels.tolist()
        if not self._is_matched:
            at = supports_at([references.alignment.supports(each) for each in references.encoded], levels)
            features, supports = own.features, at.features
        else:
            at = supports_at([each.encoded for each in references.encoded], levels, most=1)
            features = student(own.features)
            nearest = tuple(upload(feature, self.detector.device) for feature in at.features)
            supports = _METHOD.supports(self.detector.network, student(nearest))
        near = upload(at.near, self.detector.device)
        return _METHOD.compare(features, supports, at.owners, side, references.counted, near)[0]

    def _tsd(self, own: Encoded, chosen: slice, side: int) -> Tensor:
        """One map per scale, ``(n, scales, side, side)``."""
        if self._is_matched:
            return torch.stack([enlarge(each, side) for each in copying_distances(own.features)], dim=1)
        inputs = self.detector.inputs(self.query.prepared, self.query.indices[chosen])
        with whole_float32():
            scales = self.detector.network.teacher(inputs).scales
        return distance_maps(scales, own.features, side)
