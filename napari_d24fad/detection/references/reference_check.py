"""Whether a reference looks unlike the others: it may be abnormal, or not belong here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

FALSE_FLAGS = 0.08
"""How often a normal reference among normal ones is expected to be flagged."""

_LEAST_SPREAD = 0.01


@dataclass(frozen=True, slots=True)
class ReferenceCheck:
    """How one reference compares with the others.

    Attributes:
        index: Its place among the references, from 0.
        outlier: How far it lies above what is usual among the others, in standard deviations
            of a normal distribution, so that it means the same for any number of references.
        flagged: Whether the user should look at it.
        reason: Why, in a plain sentence; empty if not flagged.
    """

    index: int
    outlier: float
    flagged: bool
    reason: str


def check_outliers(
    scores: npt.NDArray[np.floating], *, logarithmic: bool = False
) -> tuple[ReferenceCheck, ...]:
    """Finds references that differ from the others more than these do among themselves.

    The logarithm of each score is held against the prediction interval of the others (Student's
    t), which widens as references get fewer: of two, neither can be flagged.

    Args:
        scores: ``(references,)`` score of each against the others.
        logarithmic: Whether these are normal over scans themselves, as standard scores are.
    """
    positive = np.maximum(np.asarray(scores, np.float64), 1e-6)
    logs = np.asarray(scores, np.float64) if logarithmic else np.log(positive)
    freedom = len(logs) - 2
    checks = []
    for index, own in enumerate(logs):
        others = np.delete(logs, index)
        p_value = 0.5
        if freedom > 0:
            spread = max(float(others.std(ddof=1)), _LEAST_SPREAD) * np.sqrt(1 + 1 / len(others))
            p_value = float(special.stdtr(freedom, (others.mean() - own) / spread))
        flagged = p_value < FALSE_FLAGS
        ratio = float(positive[index] / np.median(np.delete(positive, index)))
        outlier = float(-special.ndtri(np.clip(p_value, 1e-12, 1 - 1e-12)))
        checks.append(ReferenceCheck(index, outlier, flagged, _reason(index, ratio) if flagged else ""))
    return tuple(checks)


def _reason(index: int, ratio: float) -> str:
    return (
        f"Reference {index + 1} differs from the other references {ratio:.1f} times as much as they "
        "usually differ from each other. Look whether it is normal and of the same kind; "
        "leave it out if in doubt."
    )
