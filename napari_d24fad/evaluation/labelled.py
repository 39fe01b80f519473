"""The labelled scans of a task: their labels and where their pixels are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series


@dataclass(frozen=True, slots=True, eq=False)
class LabelledScan:
    """One scan that was read once and can be used; its pixels are read again when wanted.

    Attributes:
        folder: Its folder within the task, such as ``"normal"``.
        number: Its number there, from 1, in the order of names.
        abnormal: Its label.
        may_refer: Whether it may be drawn as a reference.
        may_query: Whether it may be examined.
        kind: Such as ``"grey images"``; the same for all scans of a task.
        content: SHA-256 of its pixels.
        patient: Tells patients apart where the file says who it is; else empty.
        statistics: See `trivial.statistics`.
        series: Where its pixels are.
        outline: Where the outline of its lesion is; None if there is none.
        organ: Where the outline of what is to be examined is; None if there is none.
    """

    folder: str
    number: int
    abnormal: bool
    may_refer: bool
    may_query: bool
    kind: str
    content: str = field(repr=False)
    patient: str = field(repr=False)
    statistics: Mapping[str, float] = field(repr=False)
    series: Series = field(repr=False)
    outline: Series | None = field(repr=False)
    organ: Series | None = field(default=None, repr=False)

    def load(self, cancel: CancelToken | None = None) -> Scan:
        """Reads the scan.

        Raises:
            StudyError: It changed since it was checked, and cannot be read any more.
            Cancelled: If a stop was asked for.
        """
        return _small(self.series.load(cancel=cancel))

    def load_mask(self, cancel: CancelToken | None = None) -> npt.NDArray[np.bool_] | None:
        """Reads the outline of the lesion.

        Returns:
            ``(slices, rows, columns)`` on the grid of the scan; None where there is none.

        Raises:
            StudyError: See `load`.
            Cancelled: If a stop was asked for.
        """
        return None if self.outline is None else _inside(self.outline.load(cancel=cancel))

    def load_organ(self, cancel: CancelToken | None = None) -> npt.NDArray[np.bool_] | None:
        """Reads the outline of what is to be examined; see `load_mask`."""
        return None if self.organ is None else _inside(self.organ.load(cancel=cancel))


@dataclass(frozen=True, slots=True, eq=False)
class LabelledTask:
    """The labelled scans of one organ and modality.

    Attributes:
        name: Name of the task, that of its folder.
        scans: All that can be used, in the order of their folders and names.
        n_copies: Scans left out because their pixels equal those of another.
        n_unusable: Scans left out because they have a problem.
    """

    name: str
    scans: tuple[LabelledScan, ...] = field(repr=False)
    n_copies: int = 0
    n_unusable: int = 0

    @property
    def references(self) -> tuple[int, ...]:
        """Which scans may be drawn as references."""
        return tuple(index for index, scan in enumerate(self.scans) if scan.may_refer)

    @property
    def has_masks(self) -> bool:
        """Whether any lesion is outlined."""
        return any(scan.outline is not None for scan in self.scans)

    @property
    def is_volumes(self) -> bool:
        """Whether the scans are volumes."""
        return self.scans[0].series.outline.is_volume

    def count(self, *, abnormal: bool) -> int:
        """Returns how many scans have this label."""
        return sum(scan.abnormal is abnormal for scan in self.scans)


def _inside(mask: Scan) -> npt.NDArray[np.bool_]:
    """Which voxels a mask outlines: those above half of its range in pictures, all but 0 in volumes."""
    values = np.asarray(mask.voxels.max(axis=-1) if mask.is_colour else mask.voxels, np.float32)
    # Pictures of masks may be JPEG, with noise around 0; volumes number their labels from 0.
    level = 0.0 if mask.is_volume or mask.has_geometry else 0.5 * float(np.fmax.reduce(values, axis=None))
    return np.asarray(values > level)


def _small(scan: Scan) -> Scan:
    """Keeps whole numbers of eight bits as such: a quarter of the memory for the same values."""
    if scan.voxels.dtype != np.float32 or not (scan.voxels.min() >= 0 and scan.voxels.max() <= 255):
        return scan
    small = scan.voxels.astype(np.uint8)
    return replace(scan, voxels=small) if np.array_equal(small, scan.voxels) else scan
