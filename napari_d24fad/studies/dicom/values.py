"""Reads single DICOM values so that a malformed one reads as missing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from napari_d24fad.studies.files.limits import LONGEST, SHORTEST


def _value(header: Dataset, name: str | int) -> Any:
    """Returns an element's value, or None if it is missing or cannot be interpreted."""
    try:
        if isinstance(name, str):
            return header.get(name)
        return header[name].value if name in header else None
    except (ValueError, TypeError, LookupError, NotImplementedError, OverflowError):
        return None


def text(header: Dataset, name: str | int) -> str:
    """Returns a value as text, several of them separated by backslashes; empty if missing."""
    value = _value(header, name)
    if value is None:
        return ""
    if isinstance(value, bytes):  # a private element without its dictionary
        value = value.decode("ascii", errors="ignore").strip("\0")
    if isinstance(value, MultiValue | list | tuple):
        return "\\".join(str(item).strip() for item in value)
    return str(value).strip()


def items(header: Dataset, name: str) -> tuple[Dataset, ...]:
    """Returns the items of a sequence; none if it is missing or no sequence."""
    value = _value(header, name)
    return tuple(value) if isinstance(value, Sequence) else ()


def numbers(header: Dataset, name: str, count: int) -> tuple[float, ...] | None:
    """Returns exactly so many finite numbers, or None."""
    value = _value(header, name)
    if not isinstance(value, Iterable) or isinstance(value, str | bytes):
        return None
    try:
        found = tuple(float(item) for item in value)
    except (TypeError, ValueError):
        return None
    return found if len(found) == count and all(map(math.isfinite, found)) else None


def number(header: Dataset, name: str | int) -> float | None:
    """Returns one finite number, or None."""
    try:
        value = float(_value(header, name))
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def positive(lengths: tuple[float, ...] | None) -> tuple[float, ...] | None:
    """Returns the numbers if all of them are lengths that a voxel can have, in mm, else None."""
    return lengths if lengths and all(SHORTEST < length < LONGEST for length in lengths) else None
