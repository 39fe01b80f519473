"""The normal references of a detection, encoded once and kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_d24fad.detection.encoded import Encoded
from napari_d24fad.detection.null import Null
from napari_d24fad.detection.scoring import Scoring
from napari_d24fad.studies.scan import Scan


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """Normal scans, encoded; what a `Detector` compares a query with.

    Attributes:
        scans: The scans themselves.
        encoded: Features of each.
        scoring: The scoring they were encoded for.
        null: What the references show when each is examined against the others.
        seconds: Wall time that encoding took.
    """

    scans: tuple[Scan, ...] = field(repr=False)
    encoded: tuple[Encoded, ...] = field(repr=False)
    scoring: Scoring
    null: Null = field(repr=False)
    seconds: float
