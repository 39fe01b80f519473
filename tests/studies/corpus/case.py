"""What a case of the corpus is, and what is expected of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Photometric


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume that must be loaded: every voxel holds what the phantom has at its place.

    Attributes:
        affine: From (slice, row, column) of the slices as scanned to LPS mm.
        grid: Number of slices, rows and columns as scanned.
        problems: Codes that the loaded scan carries.
        tolerance: In units of the phantom: half for rounding to integers, more if lossy.
        name: What the description ends in.
        padding: Number of voxels declared as padding, which are NaN.
        slanted: Whether the slices are shifted within their planes, onto a larger canvas.
        label: What the label of the series ends in.
        values: The colours instead of the phantom, ``(slices, rows, columns, 3)``.
    """

    affine: np.ndarray
    grid: tuple[int, int, int]
    problems: tuple[Code, ...] = ()
    tolerance: float = 0.51
    name: str = ""
    padding: int = 0
    slanted: bool = False
    label: str = ""
    values: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Picture:
    """An image or volume without a place in the patient and without millimetres.

    Attributes:
        values: ``(rows, columns)``, ``(slices, rows, columns)`` or, in colour, ``(rows, columns, 3)``.
        problems: Codes that the loaded scan carries.
        photometric: What its values mean on a screen.
        tolerance: How far a value may be off.
    """

    values: np.ndarray
    problems: tuple[Code, ...] = ()
    photometric: Photometric = Photometric.DARK_TO_BRIGHT
    tolerance: float = 0.0


@dataclass(frozen=True, eq=False)
class Refused:
    """A series that must not be loaded.

    Attributes:
        code: Why.
        says: What the sentence must name.
        remedy: What can be loaded instead once the user agrees.
    """

    code: Code
    says: str = ""
    remedy: Volume | None = None


@dataclass(frozen=True, eq=False)
class Case:
    """A study and its expected outcome.

    Attributes:
        name: Unique, readable.
        build: Writes the files into an empty folder. Returns what to open where that is not
            the folder itself.
        expected: What each series becomes, in order.
        problems: Codes of what the study as a whole reports, in order.
        refused: The code if the study cannot be opened at all.
        elsewhere: The volume that is in the files although it is refused here, to judge other
            readers by.
        every: Of so many series one is loaded.
        compared: Whether other readers are compared; not where pixels are no phantom.
        guess: Whether nobody can know what the volume is, though a guess may hit it.
    """

    name: str
    build: Callable[[Path], Path | None]
    expected: tuple[Volume | Picture | Refused, ...] = ()
    problems: tuple[Code, ...] = ()
    refused: Code | None = None
    elsewhere: tuple[Volume, ...] = ()
    every: int = 1
    compared: bool = True
    guess: bool = False

    def write(self, folder: Path) -> Path:
        """Writes the study into a folder; returns what to open."""
        folder.mkdir(parents=True, exist_ok=True)
        return self.build(folder) or folder

    @property
    def truth(self) -> tuple[Volume, ...]:
        """The volumes that are in the files, whoever reads them."""
        loaded = [one for one in self.expected if isinstance(one, Volume)]
        offered = [one.remedy for one in self.expected if isinstance(one, Refused) and one.remedy]
        return (*loaded, *offered, *self.elsewhere)
