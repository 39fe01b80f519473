"""How much a peer may send, and how long it may take: it may be broken, or no friend."""

from __future__ import annotations

import re
from dataclasses import dataclass

from napari_d24fad.errors import ArchiveError, Code

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_LONGEST_UID = 64


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is taken of a peer at most.

    Attributes:
        results: Studies or series of one search.
        instances: Images of one series.
        answer: Bytes of one answer that is no image: a list, a preview.
        instance: Bytes of one image.
        held: Bytes of one image that comes by DIMSE, which is in memory as a whole for a moment.
        study: Bytes of the images of one study.
        silence: Seconds without a byte, or until an answer begins.
        slowest: Bytes per second on average that are too few, once a minute has passed.
    """

    results: int = 2_000
    instances: int = 20_000
    answer: int = 64 * 2**20
    instance: int = 4 * 2**30
    held: int = 2**30
    study: int = 64 * 2**30
    silence: float = 30.0
    slowest: float = 1024.0


BOUNDS = Bounds()


def checked_uid(text: object) -> str:
    """Returns a UID as it was sent, if it is one (PS3.5, 9.1; leading zeros are let pass).

    Raises:
        ArchiveError: ``BAD_ANSWER``.
    """
    if isinstance(text, str) and len(text) <= _LONGEST_UID and _UID.fullmatch(text):
        return text
    raise ArchiveError(Code.BAD_ANSWER, "It names something with an identifier that is none.")
