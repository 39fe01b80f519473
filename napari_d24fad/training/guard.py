"""Notices that a training diverges before it has wasted hours."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

MEMORY = 200
"""Losses that the running median is taken of."""

FAR = 10.0
"""A loss is far above the median if it is this many times as large."""

PATIENCE = 50
"""So many losses in a row may be far above; single bad batches are no divergence."""


class DivergenceGuard:
    """Watches the loss of every step; losses far above the median do not move the median.

    Attributes:
        suspicious: Whether the last loss was far above; no checkpoint is taken then.
    """

    def __init__(self) -> None:
        self._normal: deque[float] = deque(maxlen=MEMORY)
        self._bad = 0

    @property
    def suspicious(self) -> bool:
        """Whether the last loss was far above the running median, or no number."""
        return self._bad > 0

    def see(self, loss: float) -> str:
        """Takes the loss of the next step.

        Returns:
            Why this is a divergence, in words that follow "the loss"; empty if it is none.
        """
        if not math.isfinite(loss):
            self._bad += 1
            return "was not a number"
        # The median of the first losses, which fall fast, says little, and is high: no false alarm.
        if len(self._normal) == MEMORY and loss > FAR * median(self._normal):
            self._bad += 1
            stayed = f"stayed more than {FAR:.0f} times above its running median for {PATIENCE} steps"
            return stayed if self._bad >= PATIENCE else ""
        self._bad = 0
        self._normal.append(loss)
        return ""

    def at_end(self) -> str:
        """Returns why weights after the last step are not to be kept, as `see` says it; else empty."""
        # One step alone is a peak, as there are others.
        return f"ended more than {FAR:.0f} times above its running median" if self._bad > 1 else ""
