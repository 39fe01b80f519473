"""The exit status of the command; released numbers keep their meaning."""

from __future__ import annotations

from napari_d24fad.errors import Code

CANCELLED = 130
"""As shells report a process that Ctrl-C ended (128 + SIGINT)."""

SOME_REFUSED = 8
"""Some of several queries could not be examined; the results of the others were written."""

_UNEXPECTED = 1
_BY_LETTER = {"A": 2, "S": 3, "P": 4, "M": 5, "X": 6, "T": 7, "R": 9, "N": 10, "C": 11}


def exit_status(code: Code) -> int:
    """Returns the exit status of a refusal, by the room that its letter names."""
    return _UNEXPECTED if code is Code.UNEXPECTED else _BY_LETTER[code.code[0]]
