"""Changes a file in the ways that break parsers: lengths, numbers, names, cuts, and plain noise."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_NUMBERS = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63,
    2**64 - 1,
)
_TEXTS = (
    b"0",
    b"-1",
    b"nan",
    b"inf",
    b"1e999",
    b"99999999",
    b"-0",
    b" ",
    b"\\",
    b"../",
    b"\0",
    b"1\\2",
    b"65535",
)
_VRS = (
    b"OB",
    b"OW",
    b"SQ",
    b"UN",
    b"DS",
    b"IS",
    b"US",
    b"UI",
    b"LO",
    b"AT",
    b"FD",
    b"UT",
    b"zz",
    b"CS",
    b"SL",
)

Change = Callable[[bytearray, random.Random], None]


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Returns a changed copy; the same for a generator in the same state.

    Args:
        content: A good file.
        rng: Chooses what is changed, where, and how often.
    """
    mutant = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        if mutant:
            rng.choice(_CHANGES)(mutant, rng)
    return bytes(mutant)


def _place(mutant: bytearray, rng: random.Random) -> int:
    """A place; mostly early, where headers are."""
    return rng.randrange(min(len(mutant), rng.choice((64, 400, 1500, len(mutant)))))


def _flip(mutant: bytearray, rng: random.Random) -> None:
    mutant[_place(mutant, rng)] ^= 1 << rng.randrange(8)


def _noise(mutant: bytearray, rng: random.Random) -> None:
    at = _place(mutant, rng)
    mutant[at : at + rng.randrange(1, 9)] = rng.randbytes(rng.randrange(1, 9))


def _number(mutant: bytearray, rng: random.Random) -> None:
    at, size = _place(mutant, rng), rng.choice((1, 2, 2, 4, 4, 8))
    number = rng.choice(_NUMBERS) % 256**size
    mutant[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))


def _text(mutant: bytearray, rng: random.Random) -> None:
    """Replaces a number that is written in digits by another text of the same length, or not."""
    found = list(re.finditer(rb"-?\d[\d.]*", mutant))
    if found:
        place = rng.choice(found)
        text = rng.choice(_TEXTS)
        fitted = text.ljust(len(place.group()))[: len(place.group())]
        mutant[place.start() : place.end()] = rng.choice((text, fitted, fitted))


def _representation(mutant: bytearray, rng: random.Random) -> None:
    """Replaces the Value Representation of a DICOM element."""
    found = list(re.finditer(rb"(?:OB|OW|SQ|UN|DS|IS|US|UI|LO|CS|FD|SH|PN)", mutant))
    if found:
        place = rng.choice(found)
        mutant[place.start() : place.end()] = rng.choice(_VRS)


def _cut(mutant: bytearray, rng: random.Random) -> None:
    del mutant[rng.randrange(len(mutant)) :]


def _delete(mutant: bytearray, rng: random.Random) -> None:
    at = _place(mutant, rng)
    del mutant[at : at + rng.choice((1, 2, 4, 8, 30, 200))]


def _repeat(mutant: bytearray, rng: random.Random) -> None:
    at, size = _place(mutant, rng), rng.choice((1, 4, 8, 12, 60, 300))
    mutant[at:at] = mutant[at : at + size] * rng.choice((1, 1, 2, 50))


def _move(mutant: bytearray, rng: random.Random) -> None:
    at, size = _place(mutant, rng), rng.choice((4, 8, 20, 100))
    part = mutant[at : at + size]
    del mutant[at : at + size]
    to = rng.randrange(len(mutant) + 1)
    mutant[to:to] = part


_CHANGES: tuple[Change, ...] = (
    _flip,
    _noise,
    _number,
    _number,
    _number,
    _text,
    _text,
    _representation,
    _cut,
    _delete,
    _repeat,
    _move,
)
