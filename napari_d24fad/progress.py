"""How long work reports how far it is, and is told to stop.

The core knows no threads and no Qt: it is handed a plain callback and a token.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from napari_d24fad.errors import Cancelled

_MINUTE = 60

Progress = Callable[[float, str], None]
"""Called with the fraction done (0 to 1) and a short phrase that names the step."""


def silent(fraction: float, step: str) -> None:
    """A `Progress` for callers who do not watch."""


def part(progress: Progress, start: float, stop: float) -> Progress:
    """Returns a `Progress` whose 0 to 1 fills only ``start`` to ``stop`` of another.

    Args:
        progress: The callback that sees the whole job.
        start: Fraction of the whole at which this part begins.
        stop: Fraction of the whole at which this part ends.
    """
    return lambda fraction, step: progress(start + (stop - start) * fraction, step)


def duration_text(seconds: float) -> str:
    """Says about how long something takes, such as ``"about 40 s"``."""
    if seconds < 2 * _MINUTE:
        return f"about {max(1, round(seconds, -1) if seconds > 20 else round(seconds)):.0f} s"
    if seconds < 2 * _MINUTE * _MINUTE:
        return f"about {seconds / _MINUTE:.0f} min"
    return f"about {seconds / _MINUTE / _MINUTE:.1f} h"


class CancelToken:
    """Asks a running computation to stop; safe to use from another thread.

    Long loops call `check` at least every 200 ms of work, so that a cancel is
    honoured well within a second.
    """

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Asks for the stop. Repeated calls do nothing."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether a stop was asked for."""
        return self._event.is_set()

    def check(self) -> None:
        """Returns if work should go on.

        Raises:
            Cancelled: If a stop was asked for.
        """
        if self._event.is_set():
            raise Cancelled
