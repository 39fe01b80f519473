"""A finding: one observation in a scan, with a reader's verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from napari_d24fad.detection.references.regions import Region

BoolArray = npt.NDArray[np.bool_]


class Verdict(Enum):
    """What a reader decided of a finding."""

    UNDECIDED = "undecided"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """The voxels of a finding, as small as they are.

    Attributes:
        corner: Array index in the scan of the first voxel of the box.
        voxels: ``(slices, rows, columns)`` bool, the box.
    """

    corner: tuple[int, int, int]
    voxels: BoolArray = field(repr=False)

    def __post_init__(self) -> None:
        frozen = self.voxels.view()
        frozen.flags.writeable = False
        object.__setattr__(self, "voxels", frozen)

    @classmethod
    def of(cls, whole: BoolArray) -> Mask:
        """Cuts the box out of a mask on the grid of a scan; something in it must be true."""
        lines = [np.flatnonzero(whole.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
        box = tuple(slice(int(line[0]), int(line[-1]) + 1) for line in lines)
        return cls((box[0].start, box[1].start, box[2].start), whole[box].copy())

    @property
    def places(self) -> npt.NDArray[np.intp]:
        """``(n, 3)`` array indices in the scan."""
        found: npt.NDArray[np.intp] = np.argwhere(self.voxels) + np.array(self.corner)
        return found

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where the box lies in an array on the grid of the scan."""
        first, second, third = (
            slice(at, at + size) for at, size in zip(self.corner, self.voxels.shape, strict=True)
        )
        return first, second, third

    def slice(self, axis: int, index: int, grid: tuple[int, int, int]) -> BoolArray:
        """Returns what lies in a slice.

        Args:
            axis: Slice axis of the scan.
            index: Along it.
            grid: Of the scan.

        Returns:
            The slice of the scan without its slice axis; all false where the finding is elsewhere.
        """
        whole = np.zeros([size for at, size in enumerate(grid) if at != axis], bool)
        own = index - self.corner[axis]
        if 0 <= own < self.voxels.shape[axis]:
            others = [at for at in range(3) if at != axis]
            box = tuple(slice(self.corner[at], self.corner[at] + self.voxels.shape[at]) for at in others)
            whole[box] = np.take(self.voxels, own, axis=axis)
        return whole


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation in a scan.

    Attributes:
        number: Tells it from the others of a scan, from 1; stays, and is not used again.
        region: Where it is, how large, and what the map shows there. Map values are NaN, and so is the
            p-value, of what was marked by hand where nothing was examined.
        by_hand: Whether a reader marked it, and not the map.
        beside: `MapBeside.plan` of the map that shows it; empty for the map of the scan.
        side: ``"right"`` or ``"left"`` of the patient, or ``"middle"``: against the middle of what was
            examined; empty where that is not known.
        slice_index: The slice that shows it best, along the slice axis of the scan.
        diameters_mm: Its longest diameter in that slice, and the one at right angles to it; None without
            geometry or mask.
        mask: Its voxels; None of a map beside the first, which is not kept.
        verdict: What a reader decided.
        label: What a reader calls it; one of `Findings.labels`, or empty.
        note: What a reader wrote of it.
    """

    number: int
    region: Region
    by_hand: bool = False
    beside: str = ""
    side: str = ""
    slice_index: int = 0
    diameters_mm: tuple[float, float] | None = None
    mask: Mask | None = field(default=None, repr=False)
    verdict: Verdict = Verdict.UNDECIDED
    label: str = ""
    note: str = field(default="", repr=False)  # free text may name somebody

    @property
    def is_judged(self) -> bool:
        """Whether a reader has done anything about it, so that it may not be removed unasked."""
        decided = self.verdict is not Verdict.UNDECIDED
        return self.by_hand or decided or bool(self.label) or bool(self.note)

    @property
    def is_shown(self) -> bool:
        """Whether pictures and reports show it: rejected findings stay with the session alone."""
        return self.verdict is not Verdict.REJECTED
