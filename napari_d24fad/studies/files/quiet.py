"""Keeps the warnings of file libraries off the screen: they quote names and paths."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

_LOGGERS = tuple(logging.getLogger(name) for name in ("pydicom", "highdicom", "nibabel", "PIL", "openjpeg"))
_SILENT = logging.CRITICAL + 1
_lock = threading.Lock()
_levels: list[int] = []
_users = 0


class _WhileReading:
    """Matches the text of every warning while somebody reads, and of none otherwise."""

    def match(self, text: str, pos: int = 0) -> bool:
        return _users > 0


_FILTER = ("ignore", _WhileReading(), Warning, None, 0)


@contextmanager
def quiet() -> Iterator[None]:
    """Silences warnings and logs of the reading libraries for a block.

    Their texts hold header values and file paths, so they must not reach a console or
    a log. What matters in them is checked by the readers and reported as a problem.

    The state is the process's, because a reader has threads of its own; the last to leave
    restores it. `warnings.catch_warnings` would not do: it puts back the list of filters that it
    found, and whoever entered one meanwhile, such as numpy or MONAI in another thread, then puts
    back "ignore" for good. The filter here stays in the list and matches nothing outside.
    """
    global _users
    with _lock:
        # typeshed knows only texts there, the interpreter asks whatever stands there to match.
        filters = cast(list[Any], warnings.filters)
        if not filters or filters[0] is not _FILTER:
            if _FILTER in filters:
                filters.remove(_FILTER)
            filters.insert(0, _FILTER)
        if _users == 0:
            _levels[:] = [logger.level for logger in _LOGGERS]
            for logger in _LOGGERS:
                logger.setLevel(_SILENT)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                for logger, level in zip(_LOGGERS, _levels, strict=True):
                    logger.setLevel(level)
