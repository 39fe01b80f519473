"""The product's own scorings as methods: what `Detector` tells of a scan, as the reader gets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import MAX_LEVELS
from napari_d24fad.detection.encoding.intensity import usual_windows
from napari_d24fad.detection.examples.of_slices import SliceExamples
from napari_d24fad.detection.examples.where import drawn_in_slices
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.evaluation.volumes.method import Shown
from napari_d24fad.metrics.volumes import Examined
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.studies.scan import Scan


@dataclass(frozen=True, slots=True, eq=False)
class DetectorMethod:
    """A model with its scoring.

    Attributes:
        detector: The model.
    """

    detector: Detector

    @property
    def name(self) -> str:
        """See `Method.name`."""
        return self.detector.scoring_name

    def prepare(self, references: Sequence[Scan]) -> PreparedDetector:
        """See `Method.prepare`. CT is examined in the windows that ``detect`` takes."""
        own = self.detector
        windows = usual_windows(references[0])
        if windows != own.ct_windows:
            own = Detector(own.model, str(own.device), own.scoring_name, windows, own.precision)
        return PreparedDetector(own, own.encode(references))


@dataclass(frozen=True, slots=True, eq=False)
class PreparedDetector:
    """See `DetectorMethod`.

    Attributes:
        detector: The model.
        references: Encoded.
    """

    detector: Detector
    references: References

    def examine(self, query: Scan) -> Examined:
        """See `Prepared.examine`."""
        return _examined(query, self.detector.detect(query, self.references))

    def beside(self, examples: Sequence[Shown]) -> TaughtDetector:
        """See `Teachable.beside`."""
        encoded = [self.detector.encode_scan(each.scan, max_slices=MAX_LEVELS) for each in examples]
        lesions = [
            None
            if shown.lesion is None
            else drawn_in_slices(canonical_orientation(shown.scan).apply(shown.lesion), each)
            for shown, each in zip(examples, encoded, strict=True)
        ]
        kinds = [each.kind for each in examples]
        learned = SliceExamples(self.references, encoded, kinds=kinds, lesions=lesions)
        return TaughtDetector(self.detector, self.references, learned)


@dataclass(frozen=True, slots=True, eq=False)
class TaughtDetector:
    """See `PreparedDetector.beside`.

    Attributes:
        detector: The model.
        references: Encoded.
        examples: What abnormal scans teach beside them.
    """

    detector: Detector
    references: References
    examples: SliceExamples

    def examine(self, query: Scan) -> Examined:
        """See `Prepared.examine`."""
        found = self.detector.examine(
            self.detector.encode_scan(query), self.references, examples=self.examples
        )
        return _examined(query, found)


def _examined(query: Scan, found: AnomalyMap) -> Examined:
    coloured = found.values >= found.level_one_region
    parts, _ = ndimage.label(coloured)
    labels = np.zeros(parts.shape, np.int32)
    for region in found.regions:
        labels[parts == parts[region.peak_index]] = region.number
    voxel = float(np.prod(query.spacing))
    return Examined(
        values=found.values,
        score=found.score,
        slice_scores=found.slice_scores,
        coloured=coloured,
        labels=labels,
        masses=tuple(
            (region.mean - found.level_one_region) * region.n_voxels * voxel for region in found.regions
        ),
        n_told=len(found.regions),
        p_value=found.p_value,
    )
