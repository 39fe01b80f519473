"""The mask of what is anatomy in a scan, and what was wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from napari_d24fad.anatomy.brain_window import BrainWindow
from napari_d24fad.anatomy.grid import BoolArray, FloatArray, WorkingGrid
from napari_d24fad.studies.scan import Problem

DRAWN = "drawn on this scan"
"""`Anatomy.how` of a region that was not carried."""


class Kind(Enum):
    """What a mask encloses, from the narrowest to the widest."""

    REGION = "drawn region"
    INTRACRANIAL = "inside of the skull"
    BODY = "body"
    TISSUE = "tissue"


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """What of a scan is examined. Nothing outside is scored, coloured, listed or counted.

    Attributes:
        kind: What the mask encloses.
        grid: The working grid.
        mask: On the working grid; never empty.
        values: The scan on the working grid: grey levels of the brain window where `window` is
            given, else in the scan's own units; NaN where it has none.
        window: How values of a head CT became grey levels; None for all else.
        bone: Where there is bone, if it was told apart.
        problems: What the reader must know, such as a mask that failed and was replaced by a
            simpler one.
        how: How a drawn region came to this scan, in a few words; empty if none was drawn.
    """

    kind: Kind
    grid: WorkingGrid
    mask: BoolArray = field(repr=False)
    values: FloatArray = field(repr=False)
    window: BrainWindow | None = None
    bone: BoolArray | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()
    how: str = ""

    @property
    def volume_ml(self) -> float:
        """Volume of the mask."""
        return float(self.mask.sum()) * self.grid.voxel_mm3 / 1000
