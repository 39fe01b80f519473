"""The normal references of a detection: encoded, examined against each other, checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_d24fad.detection.alignment import Alignment
from napari_d24fad.detection.calibration import Calibration
from napari_d24fad.detection.copies import Likeness
from napari_d24fad.detection.encoded import EncodedScan
from napari_d24fad.detection.null import Null
from napari_d24fad.detection.reference_check import ReferenceCheck
from napari_d24fad.detection.scoring import Scoring
from napari_d24fad.studies.scan import Problem, Scan


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """Normal scans, encoded; what a `Detector` compares a query with.

    Attributes:
        encoded: The scans with their features; pass some of them, or more, to
            `Detector.reference_set` for another set without encoding these again.
        alignment: What queries are compared with them by.
        shares: How much each of them counts, above 0 and up to 1.
        null: What the references show when each is examined against the others.
        calibration: What that says about values and scores of a query.
        checks: For each reference, whether it stands out among the others.
        likeness: How alike they are.
        warnings: What is doubtful about the set as a whole.
        seconds: Wall time that encoding and comparing them took.
    """

    encoded: tuple[EncodedScan, ...] = field(repr=False)
    alignment: Alignment = field(repr=False)
    shares: tuple[float, ...]
    null: Null = field(repr=False)
    calibration: Calibration = field(repr=False)
    checks: tuple[ReferenceCheck, ...]
    likeness: Likeness = field(repr=False)
    warnings: tuple[Problem, ...]
    seconds: float

    @property
    def scoring(self) -> Scoring:
        """The scoring they were encoded for."""
        return self.alignment.method

    @property
    def counted(self) -> tuple[float, ...] | None:
        """The shares; None where each counts fully."""
        return None if all(share == 1 for share in self.shares) else self.shares

    @property
    def scans(self) -> tuple[Scan, ...]:
        """The scans themselves."""
        return tuple(each.scan for each in self.encoded)
