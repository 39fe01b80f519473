"""The scans of one draw that methods are measured on, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from napari_d24fad.evaluation.draws import Draw
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.metrics.volumes import BoolArray
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan


@dataclass(frozen=True, slots=True, eq=False)
class VolumeCase:
    """A query.

    Attributes:
        scan: With its voxels.
        index: Which scan of the task it is, or is made of.
        abnormal: Its label.
        lesion: Outline on the grid of the scan; None if there is none.
        statistics: See `trivial.statistics`.
        organ: Outline of what is to be examined; None if there is none.
        kind: Of an implanted lesion; else empty.
        size: The same.
    """

    scan: Scan = field(repr=False)
    index: int
    abnormal: bool
    lesion: BoolArray | None = field(repr=False)
    statistics: Mapping[str, float] = field(repr=False)
    organ: BoolArray | None = field(default=None, repr=False)
    kind: str = ""
    size: str = ""


class Cases(Protocol):
    """Where the queries of a draw come from."""

    def count(self, task: LabelledTask, draw: Draw) -> int:
        """Returns how many `each` will yield."""
        ...

    def each(self, task: LabelledTask, draw: Draw, cancel: CancelToken) -> Iterator[VolumeCase]:
        """Yields the queries; no two are in memory at once if the caller keeps none."""
        ...


class LabelledCases:
    """The queries as they are, with the outlines of their lesions."""

    def count(self, task: LabelledTask, draw: Draw) -> int:
        """See `Cases.count`."""
        return len(draw.queries)

    def each(self, task: LabelledTask, draw: Draw, cancel: CancelToken) -> Iterator[VolumeCase]:
        """See `Cases.each`."""
        for index in draw.queries:
            labelled = task.scans[index]
            yield VolumeCase(
                labelled.load(cancel),
                index,
                labelled.abnormal,
                labelled.load_mask(cancel) if labelled.abnormal else None,
                labelled.statistics,
                labelled.load_organ(cancel),
            )
