"""What the header of a volume file states, before anything of its size is read."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from pathlib import Path

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.files.bounded import is_file, open_file
from napari_d24fad.studies.files.limits import MOST_DEFLATED, check_size

LONGEST_HEADER = 2**16
_BLOCK = 2**22
_EITHER_HEADER = 32 + zlib.MAX_WBITS  # that of zlib, which MetaImage has, or of gzip


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """What a header states.

    Attributes:
        sizes: Columns, rows and slices, as many as there are.
        volumes: Number of volumes.
        channels: 3 or 4 for colour, else 1.
        voxel_bytes: Bytes of one number.
        to_mm: Millimetres of the unit of its lengths.
        in_mm: Whether it states the lengths of a voxel.
        in_patient: Whether it states which side of the patient is which, and where it lies.
        compressed: Whether the voxels are deflated.
        voxels_at: Where the voxels begin, in bytes.
        voxels_in: The file that holds the voxels; None if they follow the header.
    """

    sizes: tuple[int, ...]
    volumes: int
    channels: int
    voxel_bytes: int
    to_mm: float
    in_mm: bool
    in_patient: bool
    compressed: bool
    voxels_at: int = 0
    voxels_in: Path | None = None

    @property
    def grid(self) -> tuple[int, int, int]:
        """``(slices, rows, columns)``."""
        columns, rows, slices = (*self.sizes, 1)[:3]
        return slices, rows, columns


def malformed(kind: str) -> StudyError:
    """Returns the refusal of a header that cannot be understood."""
    return StudyError(Code.NOT_AN_IMAGE, f"Its {kind} header is malformed.")


def unread(kind: str, what: str) -> StudyError:
    """Returns the refusal of a file of a known format that holds something that is not read."""
    return StudyError(Code.NOT_AN_IMAGE, f"It is {kind} {what}, which is not read.")


def start_of(path: Path) -> bytes:
    """Reads as much of a file as a header may be long.

    Raises:
        StudyError: ``PATH_MISSING`` or ``PATH_UNREADABLE``.
    """
    try:
        with open_file(path) as file:
            return file.read(LONGEST_HEADER)
    except FileNotFoundError:
        raise StudyError(Code.PATH_MISSING, "The file disappeared while it was read.") from None
    except OSError:
        raise StudyError(Code.PATH_UNREADABLE) from None


def beside(path: Path, name: str) -> Path:
    """Returns the file beside a header that holds its voxels.

    Raises:
        StudyError: ``NOT_AN_IMAGE`` if its name leads elsewhere, ``TRUNCATED`` if it is not there.
    """
    name = name.removeprefix("./")
    if not name or "/" in name or "\\" in name or name in (".", ".."):
        raise StudyError(Code.NOT_AN_IMAGE, "The file of its voxels is not in its own folder.")
    found = path.parent / name
    if not is_file(found):
        raise StudyError(Code.TRUNCATED, "The file with its voxels is not beside it.")
    return found


def check_deflated(path: Path, facts: VolumeFacts, cancel: CancelToken) -> None:
    """Inflates the voxels once to see that they are whole: ITK returns damaged ones without an error.

    Raises:
        StudyError: ``TRUNCATED`` if the checksum is wrong, or there are more or fewer than stated.
        Cancelled: If a stop was asked for.
    """
    needed = math.prod(facts.sizes) * facts.volumes * facts.channels * facts.voxel_bytes
    inflater = zlib.decompressobj(_EITHER_HEADER)
    found = 0
    try:
        with open_file(facts.voxels_in or path) as file:
            file.seek(facts.voxels_at)
            while not inflater.eof and found <= needed:
                cancel.check()
                packed = inflater.unconsumed_tail or file.read(_BLOCK)
                if not packed:
                    break
                found += len(inflater.decompress(packed, _BLOCK))
    except (OSError, zlib.error):
        raise StudyError(Code.TRUNCATED, "Its compressed data is damaged.") from None
    if not inflater.eof or found != needed:
        raise StudyError(Code.TRUNCATED, "Its compressed data is damaged.")


def check_facts(path: Path, facts: VolumeFacts) -> None:
    """Finds out at once that a file is too large, or too short for its voxels.

    Raises:
        StudyError: ``TOO_LARGE`` or ``TRUNCATED``.
    """
    values = math.prod(facts.sizes) * facts.volumes * facts.channels
    check_size((values,))
    stored = (facts.voxels_in or path).stat().st_size - facts.voxels_at
    if values * facts.voxel_bytes > stored * (MOST_DEFLATED if facts.compressed else 1):
        raise StudyError(Code.TRUNCATED)
