"""A `Series`: one scan that was found, known from its header, loaded when wanted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.studies.limits import check_size
from napari_d24fad.studies.scan import Photometric, Plane, Problem, Scan, SeriesIdentity
from napari_d24fad.studies.thumbnail import thumbnail


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Series(ABC):
    """What the header of a series tells; the pixels stay in the file until `load`.

    Attributes:
        identity: Which series this is.
        modality: DICOM Modality (0008,0060); empty if the file does not say.
        photometric: What a voxel value means on a screen.
        grid: Array shape ``(slices, rows, columns)`` that `load` will return.
        spacing: Distance of neighbouring voxels along each array axis in mm; None
            without geometry.
        plane: The anatomical plane the slices lie nearest to; None without geometry.
        slice_axis: The array axis that the slices are stacked along.
        n_files: Number of files that make up the series.
        source: The folder or file it came from; never shown or logged.
        problems: What was found while indexing.
        refusal: Why the series cannot be loaded, as far as its header tells.
        kind: The kind of file: ``"DICOM"``, ``"NIfTI"`` or ``"image"``.
    """

    kind: ClassVar[str]

    identity: SeriesIdentity
    grid: tuple[int, int, int]
    source: Path = field(repr=False)
    modality: str = ""
    photometric: Photometric = Photometric.DARK_TO_BRIGHT
    spacing: tuple[float, float, float] | None = None
    plane: Plane | None = None
    slice_axis: int = 0
    n_files: int = 1
    problems: tuple[Problem, ...] = ()
    refusal: StudyError | None = None

    @property
    def label(self) -> str:
        """Kind, plane, size and spacing in one short line without identity, slices first."""
        order = [self.slice_axis, *(axis for axis in range(3) if axis != self.slice_axis)]
        sizes = [self.grid[axis] for axis in order]
        if self.plane is None and sizes[0] == 1:
            sizes = sizes[1:]
        words = [self.modality or self.kind, self.plane.value if self.plane else ""]
        if self.photometric is Photometric.COLOUR:
            words.append("colour")
        words.append(" x ".join(str(size) for size in sizes))
        text = " ".join(word for word in words if word)
        if self.spacing is not None:
            text += ", " + " x ".join(f"{self.spacing[axis]:.1f}" for axis in order) + " mm"
        return text

    def load(self, progress: Progress = silent, cancel: CancelToken | None = None) -> Scan:
        """Reads the voxels.

        Args:
            progress: Told how far the reading is.
            cancel: Stops the reading.

        Returns:
            The scan, with real-world values and its affine in LPS millimetres.

        Raises:
            StudyError: If the series cannot be read without guessing, holds values that
                are not numbers, or nothing but one value.
            Cancelled: If a stop was asked for.
        """
        self._check_readable()
        cancel = cancel or CancelToken()
        cancel.check()
        scan = self._read(progress, cancel)
        _check_values(scan)
        return scan

    def thumbnail(self, size: int = 96, cancel: CancelToken | None = None) -> npt.NDArray[np.uint8]:
        """Reads and draws the middle slice only, as it would lie on a screen.

        Args:
            size: Length of the longer side in pixels.
            cancel: Stops the reading.

        Returns:
            ``(rows, columns)``, or ``(rows, columns, 3)`` for colour, with square pixels.

        Raises:
            StudyError: If the series cannot be read.
            Cancelled: If a stop was asked for.
        """
        self._check_readable()
        cancel = cancel or CancelToken()
        cancel.check()
        return thumbnail(self._read_middle_slice(cancel), size)

    @abstractmethod
    def _read(self, progress: Progress, cancel: CancelToken) -> Scan:
        """Reads all voxels."""

    @abstractmethod
    def _read_middle_slice(self, cancel: CancelToken) -> Scan:
        """Reads a scan of the middle slice only."""

    def _check_readable(self) -> None:
        if self.refusal is not None:
            raise StudyError(self.refusal.code, self.refusal.detail)
        check_size(self.grid, 3 if self.photometric is Photometric.COLOUR else 1)


def _check_values(scan: Scan) -> None:
    """Refuses a scan without anatomy or with values that are not numbers."""
    low, high = scan.voxels.min(), scan.voxels.max()
    # The minimum of an array with a NaN is NaN, so two values tell about all.
    if not (np.isfinite(low) and np.isfinite(high)):
        raise StudyError(Code.NOT_FINITE)
    if low == high:
        raise StudyError(Code.CONSTANT_IMAGE)
