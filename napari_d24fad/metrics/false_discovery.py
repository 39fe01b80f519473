"""How many of those that are flagged may be false, over many scans: Benjamini-Hochberg on conformal p-values.

Conformal p-values that share their references depend on each other in a way that keeps the procedure valid
(Bates et al., Testing for outliers with conformal p-values, Annals of Statistics 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def q_values(p_values: npt.ArrayLike) -> FloatArray:
    """Returns for each scan the lowest false discovery rate at which it would be flagged.

    Args:
        p_values: ``(n,)``; NaN is left out.

    Returns:
        ``(n,)``, 0 to 1; NaN where the p-value is.
    """
    p = np.asarray(p_values, np.float64)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    found = np.full(p.shape, np.nan)
    if len(order):
        scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
        found[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return found


@dataclass(frozen=True, slots=True)
class Reach:
    """What so many references let a cohort tell.

    Attributes:
        scans: Scans with a p-value.
        at_floor: Those that score higher than all references: they have the lowest p-value there is.
        floor: That p-value, 1 / (references + 1).
    """

    scans: int
    at_floor: int
    floor: float

    def references_for(self, rate: float) -> int:
        """Returns how many references it takes to flag those at the floor at a rate, if as many stay there.

        Args:
            rate: False discovery rate, above 0.
        """
        return max(2, int(np.ceil(self.scans / (rate * max(1, self.at_floor)) - 1 - 1e-9)))


def reach(p_values: npt.ArrayLike, floor: float) -> Reach:
    """Returns what can be told of scans with these p-values.

    Args:
        p_values: ``(n,)``; NaN is left out.
        floor: The lowest that the references can show.
    """
    p = np.asarray(p_values, np.float64)
    known = p[~np.isnan(p)]
    return Reach(len(known), int(np.count_nonzero(known <= floor * (1 + 1e-9))), floor)
