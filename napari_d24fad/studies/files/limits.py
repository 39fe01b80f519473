"""What a file may claim: how much memory it may make the tool take, and how long a voxel may be."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from napari_d24fad.errors import Code, StudyError

LIMIT_VARIABLE = "D24FAD_MEMORY_LIMIT_GIB"
"""Environment variable for `Limits.decoded`, in GiB."""

HEADER_VARIABLE = "D24FAD_HEADER_LIMIT_MIB"
"""Environment variable for `Limits.header`, in MiB."""

SHORTEST, LONGEST = 1e-6, 1e6
"""Between these, in mm, lies the length of any voxel: from a nanometre to a kilometre."""

MOST_DEFLATED = 1040
"""Deflate makes nothing smaller than by this factor."""

_BYTES_PER_VALUE = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What a study may take at most.

    Attributes:
        decoded: Bytes of the voxels of one scan, at four bytes each, and of all files that an
            archive is unpacked to.
        header: Bytes that are read, or inflated, of one file to know what is in it.
        entries: Files in one archive.
        ratio: How many times larger an archive may become than it is, once it exceeds ``header``.
    """

    decoded: int = 8 * 2**30
    header: int = 256 * 2**20
    entries: int = 100_000
    ratio: int = 400


def limits() -> Limits:
    """Returns the limits, as far as the environment does not change them the default ones."""
    standard = Limits()
    return Limits(
        decoded=_chosen(LIMIT_VARIABLE, 2**30, standard.decoded),
        header=_chosen(HEADER_VARIABLE, 2**20, standard.header),
    )


def check_size(grid: tuple[int, ...], channels: int = 1) -> None:
    """Returns if a scan of this shape may be read.

    Args:
        grid: Number of voxels along each axis.
        channels: Values per voxel: 3 for colour.

    Raises:
        StudyError: ``TOO_LARGE`` if it would take more memory than the limit allows.
    """
    needed, allowed = math.prod(grid) * channels * _BYTES_PER_VALUE, limits().decoded
    if needed > allowed:
        text = f"It needs {in_gib(needed)}; {LIMIT_VARIABLE} sets the limit, now {in_gib(allowed)}."
        raise StudyError(Code.TOO_LARGE, text)


def in_gib(size: int) -> str:
    """Returns a number of bytes for people, in GiB."""
    tenths = size * 10 // 2**30  # in whole numbers: a header may claim more than a float can hold
    return f"{tenths // 10}.{tenths % 10} GiB" if tenths < 10**7 else "more than a million GiB"


def _chosen(variable: str, unit: int, standard: int) -> int:
    """Returns a limit from the environment; the standard one if that says nothing sensible."""
    try:
        number = float(os.environ.get(variable, ""))
    except ValueError:
        return standard
    return int(number * unit) if 0 < number < 2**30 else standard
