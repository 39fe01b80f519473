"""A scan made comparable: values in common units, what counts, and where each voxel lies."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.grid import BoolArray, FloatArray
from napari_d24fad.anatomy.place import Place


class Direction(Enum):
    """Which departures count: the reader's knowledge of what is looked for."""

    BRIGHTER = "brighter"
    DARKER = "darker"
    BOTH = "both"

    @property
    def signs(self) -> tuple[int, ...]:
        """+1 for brighter, -1 for darker; each is examined apart."""
        return {"brighter": (1,), "darker": (-1,), "both": (1, -1)}[self.value]


@dataclass(frozen=True, slots=True, eq=False)
class WorkingVolume:
    """One scan on its working grid, ready to be compared. Computed once per scan.

    Attributes:
        anatomy: Mask and grid.
        place: Where each voxel lies in the common space.
        values: float32 in units that compare between scans (HU relative to the brain's mode,
            normalised signal); finite inside the mask.
        counted: Inside the mask and fit to be compared; what is not counted gets no score of
            its own (bone, the outermost millimetres).
        bins: int8 kind of surroundings (depth, bone nearby) below `n_bins`; only voxels of the
            same bin are compared with each other.
        n_bins: Number of bins.
        unit: Name of the scan's own units, such as "HU"; empty if it has none.
        unit_per_value: One unit of `values` in the scan's own units.
    """

    anatomy: Anatomy
    place: Place
    values: FloatArray = field(repr=False)
    counted: BoolArray = field(repr=False)
    bins: npt.NDArray[np.int8] = field(repr=False)
    n_bins: int
    unit: str = ""
    unit_per_value: float = 1.0

    def signed(self, sign: int) -> WorkingVolume:
        """Returns the volume with its values negated for -1, so that darker is looked for as brighter."""
        return self if sign > 0 else replace(self, values=-self.values)
