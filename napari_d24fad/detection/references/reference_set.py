"""The normal references of a detection: encoded, examined against each other, checked."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_d24fad.detection.encoding.encoded import MAX_LEVELS, EncodedScan, evenly
from napari_d24fad.detection.references.alignment import Alignment
from napari_d24fad.detection.references.calibration import MIN_REGION, Calibration, FloatArray
from napari_d24fad.detection.references.copies import Likeness
from napari_d24fad.detection.references.null import Null
from napari_d24fad.detection.references.reference_check import ReferenceCheck
from napari_d24fad.detection.references.regions import Region, find_regions
from napari_d24fad.detection.scoring.protocol import Scoring
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
        region: ``(side, side)`` bool on the network input: examine only here; None for all of it.
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
    region: npt.NDArray[np.bool_] | None = field(default=None, repr=False)

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

    def ranked(self, query: EncodedScan) -> npt.NDArray[np.intp]:
        """Returns which of a query's encoded slices count where it is ranked among the references.

        As many, as evenly spread, as are encoded of a reference: the highest of many slices, and the
        number of regions in them, rise with their number.
        """
        most = max(MAX_LEVELS, *(len(each.indices) for each in self.encoded))
        return evenly(len(query.indices), most)

    def regions(self, query: EncodedScan, values: FloatArray, level: float) -> tuple[Region, ...]:
        """Finds the regions of a query's map; see `find_regions`.

        Args:
            query: Of `Detector.encode_scan`.
            values: Its map, on the grid of its scan.
            level: Regions are at or above it.
        """
        return find_regions(
            values,
            query.scan,
            level,
            MIN_REGION * query.prepared.sampling.voxels_per_input,
            self.calibration.peaks,
            [query.own_index(query.indices[at]) for at in self.ranked(query)],
        )
