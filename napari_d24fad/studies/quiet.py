"""Keeps the warnings of file libraries off the screen: they quote names and paths."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = tuple(logging.getLogger(name) for name in ("pydicom", "highdicom", "nibabel", "PIL"))


def _drop(record: logging.LogRecord) -> bool:
    return False


@contextmanager
def quiet() -> Iterator[None]:
    """Silences warnings and logs of the reading libraries for a block.

    Their texts hold header values and file paths, so they must not reach a console or
    a log. What matters in them is checked by the readers and reported as a problem.
    """
    for logger in _LOGGERS:
        logger.addFilter(_drop)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger in _LOGGERS:
            logger.removeFilter(_drop)
