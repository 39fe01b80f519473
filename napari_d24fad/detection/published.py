"""The published distances of slices, SSD and TSD, from what was kept of them and of the references."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from napari_d24fad.detection.calibration import FloatArray
from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoded import Encoded, EncodedScan, supports_at
from napari_d24fad.detection.matched import MatchedScoring, copying_distances, student
from napari_d24fad.detection.null import smooth
from napari_d24fad.detection.paper import PaperScoring
from napari_d24fad.detection.references import References
from napari_d24fad.detection.scoring import Features
from napari_d24fad.network.inference import whole_float32
from napari_d24fad.network.losses import distance_maps, enlarge

Distance = Literal["SSD", "TSD"]
SSD: Distance = "SSD"
TSD: Distance = "TSD"

_KEPT_SLICES = 4
"""Of each reference: slices of a query that follow each other are compared with the same few."""

_METHOD = PaperScoring()


class PublishedDistances:
    """The distances of one query to one set of references, slice by slice.

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
        self._kept: dict[tuple[int, int], Features] = {}

    def position_of(self, slice_index: int) -> int | None:
        """Returns where a slice is among those encoded; None if it was not examined.

        Args:
            slice_index: Along the slice axis of the scan.
        """
        index = self.query.own_index(slice_index)
        return self.query.indices.index(index) if index in self.query.indices else None

    @torch.inference_mode()
    def of_slice(self, position: int, distance: Distance) -> FloatArray:
        """Computes a distance of one slice, summed over scales and smoothed as published.

        Args:
            position: Of the slice among those encoded.
            distance: Which of the two.

        Returns:
            ``(rows, columns)`` upright on the pixels of the slice, at least 0, NaN where not examined.
        """
        sampling = self.query.prepared.sampling
        own = self.query.encoded.part(slice(position, position + 1))
        maps = self._ssd(own, sampling.side) if distance == SSD else self._tsd(own, position, sampling.side)
        smoothed = smooth(maps.sum(dim=1), _METHOD.smoothing)
        return np.asarray(sampling.to_slices(smoothed)[0].cpu().numpy())

    def draw(self, values: FloatArray, slice_index: int, distance: Distance) -> float:
        """Writes a distance of one slice into a map of the whole scan; nothing where not examined.

        Args:
            values: ``(slices, rows, columns)`` on the grid of the scan.
            slice_index: Along the slice axis of the scan.
            distance: Which of the two.

        Returns:
            The highest value of the slice.
        """
        position = self.position_of(slice_index)
        if position is None:
            return 0.0
        drawn = np.nan_to_num(self.of_slice(position, distance))
        self.query.prepared.orientation.apply(values)[self.query.indices[position]] = drawn
        return float(drawn.max())

    def _ssd(self, own: Encoded, side: int) -> Tensor:
        """One map per scale, ``(1, scales, side, side)``."""
        references, level = self.references, float(own.levels[0])
        if not self._is_matched:
            known = [references.alignment.supports(each) for each in references.encoded]
            supports, owners = supports_at(known, level)
            return _METHOD.compare(own.features, supports, owners, side, references.counted)[0]
        parts = [self._support(n, each.encoded.at(level)[0]) for n, each in enumerate(references.encoded)]
        supports = tuple(torch.cat(each) for each in zip(*parts, strict=True))
        return _METHOD.compare(student(own.features), supports, range(len(parts)), side, references.counted)[
            0
        ]

    def _tsd(self, own: Encoded, position: int, side: int) -> Tensor:
        """One map per scale, ``(1, scales, side, side)``."""
        if self._is_matched:
            return torch.stack([enlarge(each, side) for each in copying_distances(own.features)], dim=1)
        inputs = self.detector.inputs(self.query.prepared, [self.query.indices[position]])
        with whole_float32():
            scales = self.detector.network.teacher(inputs).scales
        return distance_maps(scales, own.features, side)

    def _support(self, owner: int, at: int) -> Features:
        """The student's features of a slice of a reference, and their projections."""
        found = self._kept.get((owner, at))
        if found is None:
            features = self.references.encoded[owner].encoded.part(slice(at, at + 1)).features
            found = _METHOD.supports(self.detector.network, student(features))
            self._kept[owner, at] = found
            while len(self._kept) > _KEPT_SLICES * len(self.references.encoded):
                self._kept.pop(next(iter(self._kept)), None)
        return found
