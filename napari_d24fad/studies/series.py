"""A `Series`: one scan that was found, known from its header, loaded when wanted."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.studies.files.limits import check_size
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.files.scratch import ScratchFolder
from napari_d24fad.studies.lengths import lengths_text
from napari_d24fad.studies.scan import Photometric, Plane, Problem, Scan, SeriesIdentity, Voxels
from napari_d24fad.studies.thumbnail import thumbnail
from napari_d24fad.studies.volumes import Member

# What is not as it was scanned must be said wherever a series is named.
_LABELLED = {Code.TILTED: "tilt removed", Code.RESAMPLED: "resampled", Code.SHEARED: "sheared"}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Series(ABC):
    """What the header of a series tells; the pixels stay in the file until `load`.

    Attributes:
        outline: The scan as far as the header tells; see `outline_voxels`.
        source: The folder or file it came from; never shown or logged.
        n_files: Number of files that make up the series.
        refusal: Why the series cannot be loaded, as far as its header tells.
        remedy: What can be loaded instead if the user agrees: the same slices resampled to
            even distances. Its problems say so.
        holds: What must not go away before the series does: the folder its files were unpacked to.
        number: Which of the series that were opened together it is, from 1; 0 if it is the only one.
        member: Which of several volumes of one series or file it is; None if it is the only one.
        kind: What it was read from: ``"DICOM"``, another format of volumes, ``"image"`` or ``"layer"``.
    """

    outline: Scan
    source: Path = field(repr=False)
    n_files: int = 1
    refusal: StudyError | None = None
    remedy: Series | None = field(default=None, repr=False)
    holds: ScratchFolder | None = field(default=None, repr=False)
    number: int = 0
    member: Member | None = None
    kind: str = "image"

    def __post_init__(self) -> None:
        if self.refusal is not None:
            # Where it was raised would keep alive whatever was at hand there, the series too.
            self.refusal.__traceback__ = self.refusal.__context__ = None

    @property
    def identity(self) -> SeriesIdentity:
        """Which series this is."""
        return self.outline.identity

    @property
    def modality(self) -> str:
        """DICOM Modality (0008,0060); empty if the file does not say."""
        return self.outline.modality

    @property
    def photometric(self) -> Photometric:
        """What a voxel value means on a screen."""
        return self.outline.photometric

    @property
    def grid(self) -> tuple[int, int, int]:
        """Array shape ``(slices, rows, columns)`` that `load` will return."""
        return self.outline.grid

    @property
    def spacing(self) -> tuple[float, float, float] | None:
        """Distance of neighbouring voxels along each array axis in mm; None without geometry."""
        return self.outline.spacing if self.outline.has_geometry else None

    @property
    def plane(self) -> Plane | None:
        """The anatomical plane the slices lie nearest to; None where sides are not known."""
        return self.outline.plane

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found while indexing that was not fatal."""
        return self.outline.problems

    @property
    def label(self) -> str:
        """Kind, plane, size, spacing and number in one short line without identity, slices first.

        Where lengths are known but sides are not, it says so.
        """
        slice_axis = self.outline.slice_axis
        order = [slice_axis, *(axis for axis in range(3) if axis != slice_axis)]
        if self.plane is None and self.grid[slice_axis] == 1:
            order = order[1:]
        words = [self.modality or self.kind, self.plane.value if self.plane else ""]
        words.append(" x ".join(str(self.grid[axis]) for axis in order))
        text = " ".join(word for word in words if word)
        if self.spacing is not None:
            text += ", " + lengths_text([self.spacing[axis] for axis in order])
            if not self.outline.in_patient:
                text += ", sides not known"
        if self.outline.unit:
            text += f", {self.outline.unit}"
        remarks = [_LABELLED[one.code] for one in self.problems if one.code in _LABELLED]
        return ", ".join([text, *self._numbers, *remarks])

    @property
    def title(self) -> str:
        """What to call it where there is little room: its description, or else its label; with its number."""
        described = self.identity.description
        if not described:
            return self.label
        return ", ".join([described, *self._numbers])

    @property
    def _numbers(self) -> list[str]:
        """By which numbers it is chosen: as a series, and as a volume of it."""
        numbers = [f"no. {self.number}"] if self.number else []
        return numbers if self.member is None else [*numbers, f"volume {self.member.number}"]

    def numbered(self, number: int) -> Self:
        """Returns the same series with its number, and so what can be loaded instead of it."""
        remedy = None if self.remedy is None else self.remedy.numbered(number)
        return replace(self, number=number, remedy=remedy)

    def as_member(self, member: Member) -> Self:
        """Returns the same series as one of several volumes, and so what can be loaded instead of it."""
        remedy = None if self.remedy is None else self.remedy.as_member(member)
        return replace(self, member=member, remedy=remedy)

    def load(self, progress: Progress = silent, cancel: CancelToken | None = None) -> Scan:
        """Reads the voxels: float32 for grey, uint8 for colour.

        NaN is what was not measured: what a DICOM file declares as padding, what lies beside slices
        that were shifted, and NaN of the file itself. The scan's problems say so.

        Args:
            progress: Told how far the reading is.
            cancel: Stops the reading.

        Returns:
            The scan, with real-world values and its affine in LPS millimetres.

        Raises:
            StudyError: If the series cannot be read without guessing, holds infinite values,
                or nothing but one value.
            Cancelled: If a stop was asked for.
        """
        cancel = cancel or CancelToken()
        self._check_readable(cancel)
        with quiet():  # once, not for each slice
            voxels = self._read(progress, cancel)
        _check_values(voxels)
        return self._scan(voxels)

    def with_middle_slice(self, cancel: CancelToken) -> Scan:
        """Reads the middle slice only, as `load` does; the others are NaN, black in colour."""
        self._check_readable(cancel)
        axis = self.outline.slice_axis
        voxels = np.full_like(self.outline.voxels, 0 if self.outline.is_colour else np.nan, order="C")
        middle = np.moveaxis(self._read_middle_slice(cancel), axis, 0)[0]
        np.moveaxis(voxels, axis, 0)[self.grid[axis] // 2] = middle
        return self._scan(voxels)

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
        cancel = cancel or CancelToken()
        self._check_readable(cancel)
        return thumbnail(self._scan(self._read_middle_slice(cancel)), size)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files the voxels are read from; empty if they are not in files. Never shown or logged."""
        return (self.source,)

    @property
    def variant(self) -> str:
        """Which of the series that the same files make this is."""
        return ""

    def fingerprint(self) -> str:
        """Tells without reading pixels whether this is the series of another day.

        Returns:
            SHA-256 of names, sizes and times of change of the files, and of what is made of them;
            empty if there are no files, or one has gone.
        """
        digest = hashlib.sha256(f"{type(self).__name__} {self.variant} {self.grid}".encode())
        digest.update(self.outline.affine.tobytes())
        try:
            for path in self.files:
                status = path.stat()
                digest.update(f"{path.absolute()}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
        except OSError:
            return ""
        return digest.hexdigest() if self.files else ""

    def unread(self) -> Scan:
        """Returns the scan without its pixels; for their hash stands the fingerprint of the files."""
        return replace(self.outline, pixels_hash=self.fingerprint() or f"unread {id(self)}")

    def state(self, cancel: CancelToken) -> object:
        """Returns what is equal as long as `load` gives the same scan, without reading pixels if it can.

        A series of files reads the same ones each time: it is its own state.

        Args:
            cancel: Stops it, where pixels are read.

        Raises:
            StudyError: The pixels must be read and cannot be.
            Cancelled: If a stop was asked for.
        """
        return self

    @abstractmethod
    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        """Reads all voxels of the outline's grid."""

    @abstractmethod
    def _read_middle_slice(self, cancel: CancelToken) -> Voxels:
        """Reads the middle slice only: length 1 along the slice axis."""

    def _scan(self, voxels: Voxels) -> Scan:
        # An RGB file whose channels hardly differ turns out to be grey.
        photometric = (
            Photometric.DARK_TO_BRIGHT if voxels.ndim < self.outline.voxels.ndim else self.photometric
        )
        problems = self.problems
        if np.isnan(voxels.min()) and Problem(Code.PADDING) not in problems:
            problems += (Problem(Code.PADDING),)
        return replace(self.outline, voxels=voxels, photometric=photometric, problems=problems)

    def _check_readable(self, cancel: CancelToken) -> None:
        cancel.check()
        if self.refusal is not None:
            raise StudyError(self.refusal.code, self.refusal.detail)
        check_size(self.outline.voxels.shape)


def outline_voxels(grid: tuple[int, int, int], photometric: Photometric) -> Voxels:
    """Returns a placeholder for voxels that were not read yet; it takes no memory.

    Args:
        grid: ``(slices, rows, columns)``.
        photometric: Colour has a fourth axis of three values.
    """
    if photometric is Photometric.COLOUR:
        return np.broadcast_to(np.uint8(0), (*grid, 3))
    return np.broadcast_to(np.float32(0), grid)


def pixel_affine(spacing: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """Returns the affine of a scan without geometry: pixels of the stated shape.

    Args:
        spacing: Relative length of a voxel along each array axis.

    Returns:
        ``(4, 4)``, a diagonal whose smallest in-plane length is 1 pixel.
    """
    lengths = np.array(spacing, dtype=np.float64)
    return np.diag([*(lengths / lengths[1:].min()), 1.0])


def _check_values(voxels: Voxels) -> None:
    """Refuses a scan without anatomy or with infinite values; NaN is what was not measured."""
    # The minimum of an array with a NaN is NaN, so two values tell about all.
    low, high = voxels.min(), voxels.max()
    if np.isnan(low):
        low, high = np.fmin.reduce(voxels, axis=None), np.fmax.reduce(voxels, axis=None)
        if np.isnan(low):
            raise StudyError(Code.CONSTANT_IMAGE)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise StudyError(Code.NOT_FINITE)
    if low == high:
        raise StudyError(Code.CONSTANT_IMAGE)
