"""Writes lengths, areas and volumes in the unit that leaves a number to read: mm, µm or nm, or ml."""

from __future__ import annotations

from collections.abc import Sequence

_PER_MM = (("mm", 1.0), ("µm", 1e3), ("nm", 1e6))
_POWERS = {1: "", 2: "²", 3: "³"}


def lengths_text(lengths: Sequence[float], finest: float | None = None, *, between: str = " x ") -> str:
    """Writes lengths in one unit, such as ``"4.1 x 1.7 x 2.2 mm"`` or ``"2 x 0.25 x 0.25 µm"``.

    Args:
        lengths: In mm.
        finest: What must still be told, in mm; None for the smallest of the lengths.
        between: What stands between them.

    Returns:
        In mm with one digit where that tells the finest, else with three digits that count.
    """
    finest = min(lengths) if finest is None else finest
    unit, factor = _unit(finest, 1, 0.01)
    plain = unit == "mm" and finest >= 0.1
    numbers = (f"{length:.1f}" if plain else f"{_rounded(length * factor):.10g}" for length in lengths)
    return f"{between.join(numbers)} {unit}"


def round_length_text(length: float) -> str:
    """Writes a round length in mm, for a scale bar, such as ``"50 mm"`` or ``"20 µm"``."""
    unit, factor = _unit(length, 1, 0.1)
    return f"{_rounded(length * factor):g} {unit}"


def area_text(area: float) -> str:
    """Writes an area given in mm²."""
    return _measure_text(area, 2)


def volume_text(volume: float) -> str:
    """Writes a volume given in mm³: in ml from 1 ml on, else in mm³ or what leaves a number to read."""
    millilitres = volume / 1000
    if millilitres >= 1:
        return f"{millilitres:.1f} ml" if millilitres < 100 else f"{millilitres:,.0f} ml"
    return _measure_text(volume, 3)


def size_text(volume_mm3: float | None, area_mm2: float | None, n_pixels: int) -> str:
    """Writes the size of a region: its volume, or area, or its pixels where no spacing is known."""
    if volume_mm3 is not None:
        return volume_text(volume_mm3)
    return f"{n_pixels:,} pixels" if area_mm2 is None else area_text(area_mm2)


def _measure_text(value: float, power: int) -> str:
    unit, factor = _unit(value, power, 0.01)
    scaled = value * factor**power
    return f"{scaled:,.0f} {unit}{_POWERS[power]}" if scaled >= 10 else f"{scaled:.3g} {unit}{_POWERS[power]}"


def _unit(value: float, power: int, least: float) -> tuple[str, float]:
    """Returns the largest unit in which a value is not too small a number, and how many are a mm."""
    return next((each for each in _PER_MM if value * each[1] ** power >= least), _PER_MM[-1])


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
