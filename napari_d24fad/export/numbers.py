"""Numbers as strict JSON takes them: no NaN, no infinity, no digits that mean nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def number(value: float | np.floating[Any]) -> float | None:
    """Returns the shortest number that reads back as the same, also for single precision; None for NaN."""
    return float(str(value)) if np.isfinite(value) else None


def maybe(value: float | None) -> float | None:
    """Returns the same of a number that may be missing."""
    return None if value is None else number(value)


def numbers(array: npt.NDArray[np.floating[Any]]) -> list[Any]:
    """Returns an array as lists of numbers."""
    if array.ndim == 1:
        return [number(value) for value in array]
    return [numbers(row) for row in array]
