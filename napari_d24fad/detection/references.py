"""The normal references of a detection: encoded, examined against each other, checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_d24fad.detection.calibration import Calibration
from napari_d24fad.detection.copies import Likeness
from napari_d24fad.detection.encoded import Encoded, EncodedScan
from napari_d24fad.detection.null import Null
from napari_d24fad.detection.reference_check import ReferenceCheck
from napari_d24fad.detection.scoring import Features, Scoring
from napari_d24fad.studies.scan import Problem, Scan


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """Normal scans, encoded; what a `Detector` compares a query with.

    Attributes:
        encoded: The scans with their features; pass some of them, or more, to
            `Detector.reference_set` for another set without encoding these again.
        scoring: The scoring they were encoded for.
        statistics: What features are aligned by.
        aligned: Their features, aligned.
        supports: What queries are compared with: these, with their mirror images where the
            scoring wants them.
        null: What the references show when each is examined against the others.
        calibration: What that says about values and scores of a query.
        checks: For each reference, whether it stands out among the others.
        likeness: How alike they are.
        warnings: What is doubtful about the set as a whole.
        seconds: Wall time that encoding and comparing them took.
    """

    encoded: tuple[EncodedScan, ...] = field(repr=False)
    scoring: Scoring
    statistics: Features = field(repr=False)
    aligned: tuple[Encoded, ...] = field(repr=False)
    supports: tuple[Encoded, ...] = field(repr=False)
    null: Null = field(repr=False)
    calibration: Calibration = field(repr=False)
    checks: tuple[ReferenceCheck, ...]
    likeness: Likeness = field(repr=False)
    warnings: tuple[Problem, ...]
    seconds: float

    @property
    def scans(self) -> tuple[Scan, ...]:
        """The scans themselves."""
        return tuple(each.scan for each in self.encoded)
