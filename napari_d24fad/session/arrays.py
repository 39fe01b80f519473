"""Arrays as whole numbers and a note of what they are: those that are mostly 0 or NaN take little room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_SPARSE = 0.4  # share of one value from which on only the others are stored
_KINDS = "biuf"


def take_apart(array: Array) -> tuple[dict[str, Any], dict[str, Array]]:
    """Returns the note of an array, which is JSON, and its parts, flat.

    As whole numbers, bit for bit: a format that keeps weights may refuse what is not finite.
    """
    note: dict[str, Any] = {"type": array.dtype.str, "shape": list(array.shape)}
    if array.dtype.kind == "f" and array.size:
        for fill, others in ((0.0, array != 0), (np.nan, ~np.isnan(array))):
            if others.mean() < 1 - _SPARSE:
                parts = {"where": np.packbits(others), "values": _whole(array[others])}
                return {**note, "fill": None if np.isnan(fill) else fill}, parts
    return note, {"values": np.packbits(array) if array.dtype == bool else _whole(array)}


def put_together(note: Mapping[str, Any], parts: Mapping[str, Array]) -> Array:
    """Returns the array that `take_apart` took apart, in memory of its own.

    Args:
        note: As it was returned, or read from JSON.
        parts: As they were returned.

    Raises:
        KeyError: A part is missing; so for the others.
        TypeError: It is no array of numbers.
        ValueError: A part has not the length that is stated.
    """
    kind, shape = np.dtype(note["type"]), tuple(note["shape"])
    if kind.kind not in _KINDS or not all(type(size) is int and size >= 0 for size in shape):
        raise TypeError("This is no array of numbers.")
    size = int(np.prod(shape, dtype=object))
    values = parts["values"]
    if kind.kind == "b":
        return _bits(values, size).reshape(shape)
    values = values.view(kind)
    if "fill" not in note:
        return values.reshape(shape).copy()
    where = _bits(parts["where"], size)
    array = np.full(size, np.nan if note["fill"] is None else note["fill"], kind)
    array[where] = values
    return array.reshape(shape)


def _bits(packed: Array, size: int) -> npt.NDArray[np.bool_]:
    if packed.dtype != np.uint8 or packed.size != (size + 7) // 8:  # before memory is taken
        raise ValueError("There are more or fewer bits than stated.")
    return np.unpackbits(packed, count=size).astype(bool)


def _whole(array: Array) -> Array:
    whole = np.ascontiguousarray(array).reshape(-1)
    return whole.view(np.uint8 if whole.itemsize == 1 else f"<i{whole.itemsize}")
