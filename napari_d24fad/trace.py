"""Where an error came from, without what its message says: messages quote paths and header values."""

from __future__ import annotations

import traceback

from napari_d24fad.errors import D24fadError


def safe_trace(error: BaseException) -> str:
    """Returns the traceback of an error and of those that led to it, first of all the earliest.

    Lines of code are shown, values never. Of exceptions only the kind is told, except for
    our own, whose sentences are written to be shown.
    """
    parts = []
    known: BaseException | None = error
    while known is not None:
        frames = "".join(traceback.format_tb(known.__traceback__))
        said = f": {known}" if isinstance(known, D24fadError) else ""
        parts.append(f"{frames}{type(known).__name__}{said}")
        known = known.__cause__ or known.__context__
    return "\n\n".join(reversed(parts))
