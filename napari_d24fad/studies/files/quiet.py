"""Keeps the warnings of file libraries off the screen: they quote names and paths."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_LOGGERS = tuple(logging.getLogger(name) for name in ("pydicom", "highdicom", "nibabel", "PIL", "openjpeg"))
_lock = threading.Lock()
_state = ExitStack()
_users = 0


@contextmanager
def quiet() -> Iterator[None]:
    """Silences warnings and logs of the reading libraries for a block.

    Their texts hold header values and file paths, so they must not reach a console or
    a log. What matters in them is checked by the readers and reported as a problem.
    The state is the process's, so threads share it: the last to leave restores it.
    """
    global _users
    with _lock:
        if _users == 0:
            _silence()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _state.close()


def _silence() -> None:
    _state.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    for logger in _LOGGERS:
        _state.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL + 1)
