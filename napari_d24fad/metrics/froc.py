"""Free-response ROC: how many lesions are found when normal scans may show so many false regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""False regions per normal scan at which sensitivity is given."""


@dataclass(frozen=True, slots=True)
class Froc:
    """Sensitivity at rates of false regions per normal scan.

    Attributes:
        rates: The rates.
        sensitivity: Share of the lesions found at each.
    """

    rates: tuple[float, ...]
    sensitivity: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean sensitivity over the rates, as in the LUNA16 challenge with other rates."""
        return float(np.mean(self.sensitivity))

    def at(self, rate: float) -> float:
        """Returns the sensitivity at one of the rates."""
        return self.sensitivity[self.rates.index(rate)]


def froc(
    normal: Sequence[npt.NDArray[np.floating]], found_at: Sequence[float], rates: Sequence[float] = RATES
) -> Froc:
    """Measures sensitivity.

    At a rate ``f`` the level is the lowest above which the ``n`` normal scans together show at
    most ``f n`` regions. A lesion is found if its highest peak is above that level, not on it.

    Args:
        normal: For each normal scan, the values of its peaks; one scan or more.
        found_at: For each lesion, the value of the highest peak in it; -inf if it has none.
        rates: Where to measure.
    """
    false = np.sort(np.concatenate([np.asarray(each, np.float64) for each in normal]))[::-1]
    lesions = np.asarray(found_at, np.float64)
    shares = []
    for rate in rates:
        allowed = int(np.floor(rate * len(normal) + 1e-9))
        level = false[allowed] if allowed < len(false) else -np.inf
        shares.append(float(np.mean(lesions > level)) if len(lesions) else float("nan"))
    return Froc(tuple(rates), tuple(shares))
