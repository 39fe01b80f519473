"""A case of a cohort before it is examined: where its scan is, and the hash that it is called by."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

_DIGITS = 20
_BITS_OF_SHARD = 8


@dataclass(frozen=True, slots=True)
class Item:
    """A case that is to be examined.

    Attributes:
        number: Its place in the list, from 1.
        place: Folder or file of its scan; empty for a study of an archive.
        study: Study Instance UID (0020,000D), of a study of an archive.
        series: Which series of the place, from 1; 0 for the only one that fits the references.
        volume: Which volume of the series, from 1; 0 for the only one.
    """

    number: int
    place: str = field(default="", repr=False)
    study: str = field(default="", repr=False)
    series: int = 0
    volume: int = 0

    def key(self, salt: bytes) -> str:
        """Returns what the case is called in files: it cannot be turned back into a path without the salt.

        Args:
            salt: The cohort's own; two cohorts call the same case differently.
        """
        told = f"{self.place}\0{self.study}\0{self.series}\0{self.volume}"
        return hmac.new(salt, told.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:_DIGITS]


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts that a cohort is examined in, each by a job of its own.

    Attributes:
        index: From 1.
        of: How many there are.
    """

    index: int
    of: int

    def has(self, key: str) -> bool:
        """Whether a case belongs to it; which one is known from its hash alone."""
        return int(key[:_BITS_OF_SHARD], 16) % self.of == self.index - 1
