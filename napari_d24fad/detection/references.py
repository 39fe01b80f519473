"""The normal references of a detection: encoded, examined against each other, checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_d24fad.detection.alignment import Alignment
from napari_d24fad.detection.calibration import MIN_REGION, Calibration
from napari_d24fad.detection.copies import Likeness
from napari_d24fad.detection.encoded import MAX_LEVELS, EncodedScan
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

    @property
    def most_slices(self) -> int:
        """How many slices of a query count where it is ranked among the references.

        The highest of many slices rises with their number, and of a reference some are left out.
        """
        return max(MAX_LEVELS, *(len(each.indices) for each in self.encoded))

    def smallest_region(self, query: EncodedScan) -> float:
        """Returns from how many voxels on a region of a query's map is told.

        `MIN_REGION` for references, of which some slices may be left out: as much in each slice of
        the query that they would lack, or many thin slices would show more regions than references do.
        """
        slices = max(1.0, len(query.indices) / self.most_slices)
        return MIN_REGION * query.prepared.sampling.voxels_per_input * slices
