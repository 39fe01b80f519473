"""Places the boxes of a layered drawing so that no line passes behind a box, and few lines cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

WIDTH, LAYER, BOX_WIDTH, BOX_HEIGHT = 1000, 118, 172, 74
_GAP, _LINE = 16, 24
_SWEEPS = 12


class Places(dict[str, tuple[float, float]]):
    """The middle of each box, and of each place where a line passes a layer.

    Attributes:
        ways: For each line the places that it leads through, from box to box.
    """

    ways: list[list[str]]


def place(layers: Sequence[Sequence[str]], below: Mapping[str, frozenset[str]]) -> Places:
    """Places boxes.

    Args:
        layers: Names of boxes, the highest layer first.
        below: For each box those that a line leads to, all in lower layers.
    """
    rows = [list(layer) for layer in layers]
    depth = {name: at for at, row in enumerate(rows) for name in row}
    ways = []
    for name in depth:
        for other in sorted(below[name]):
            passed = [f"{name}>{other}@{at}" for at in range(depth[name] + 1, depth[other])]
            for stop in passed:
                rows[int(stop.rpartition("@")[2])].append(stop)
            ways.append([name, *passed, other])
    _untangle(rows, ways)
    places = Places()
    places.ways = ways
    for at, row in enumerate(rows):
        left = (WIDTH - sum(map(_width, row))) / 2
        for name in row:
            places[name] = (left + _width(name) / 2, 10 + BOX_HEIGHT / 2 + at * LAYER)
            left += _width(name)
    return places


def _untangle(rows: list[list[str]], ways: Sequence[Sequence[str]]) -> None:
    """Orders each row by where its neighbours stand, down and up; keeps the order that crosses least."""
    pairs = [pair for way in ways for pair in pairwise(way)]
    best, fewest = [list(row) for row in rows], _crossings(rows, pairs)
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            stands = {name: (at + 0.5) / len(other) for other in rows for at, name in enumerate(other)}
            near = {
                name: [
                    stands[one if two == name else two]
                    for one, two in pairs
                    if name == (two if sweep % 2 == 0 else one)
                ]
                for name in row
            }
            row.sort(key=lambda name: sum(near[name]) / len(near[name]) if near[name] else stands[name])
        if (count := _crossings(rows, pairs)) < fewest:
            best, fewest = [list(row) for row in rows], count
    rows[:] = best


def _crossings(rows: Sequence[Sequence[str]], pairs: Sequence[tuple[str, str]]) -> int:
    stands = {name: (at, column) for at, row in enumerate(rows) for column, name in enumerate(row)}
    lines = [(stands[one], stands[two][1]) for one, two in pairs]
    return sum(
        (first[1] - second[1]) * (end - other) < 0
        for number, (first, end) in enumerate(lines)
        for second, other in lines[:number]
        if first[0] == second[0]
    )


def _width(name: str) -> int:
    return _LINE if "@" in name else BOX_WIDTH + _GAP
