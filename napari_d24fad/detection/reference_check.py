"""Whether a reference looks unlike the others: it may be abnormal, or not belong here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_d24fad.detection.copies import copies_of, near_copies
from napari_d24fad.detection.encoded import Encoded

FLAG_ABOVE = 3.5
"""Robust standard deviations above the median at which a reference is flagged."""


FEW_REFERENCES = 4
"""Fewer are said to be few."""


@dataclass(frozen=True, slots=True)
class ReferenceCheck:
    """How one reference compares with the others.

    Attributes:
        index: Its place among the references, from 0.
        outlier: How far it lies above what is usual among the references, in robust
            standard deviations.
        flagged: Whether the user should look at it.
        reason: Why, in a plain sentence; empty if not flagged.
    """

    index: int
    outlier: float
    flagged: bool
    reason: str


def check_outliers(scores: npt.NDArray[np.floating]) -> tuple[ReferenceCheck, ...]:
    """Finds references that differ from the others more than these do among themselves.

    Args:
        scores: ``(references,)`` score of each against the others.
    """
    checks = []
    for index, score in enumerate(scores):
        others = np.log(np.delete(scores, index).clip(min=1e-6))
        spread = max(1.4826 * float(np.median(np.abs(others - np.median(others)))), 0.05)
        outlier = (float(np.log(max(score, 1e-6))) - float(np.median(others))) / spread
        flagged = outlier > FLAG_ABOVE
        checks.append(
            ReferenceCheck(index, outlier, flagged, _reason(score, scores, index) if flagged else "")
        )
    return tuple(checks)


def set_warnings(references: Sequence[Encoded]) -> tuple[str, ...]:
    """Says what is doubtful about a set of references as a whole.

    Args:
        references: Their features.
    """
    sentences = []
    if len(references) < FEW_REFERENCES:
        sentences.append(
            f"With {len(references)} references little is known of how normal scans differ; "
            "use eight if you have them."
        )
    sentences += [
        f"References {first + 1} and {second + 1} are almost the same picture and count like one."
        for first, second in near_copies(references)
    ]
    return tuple(sentences)


def query_warnings(query: Encoded, references: Sequence[Encoded]) -> tuple[str, ...]:
    """Says whether the query is among its own references under another guise.

    Args:
        query: Features of the query.
        references: Features of the references.
    """
    return tuple(
        f"Reference {index + 1} is almost the same picture as this scan; what both show cannot be found."
        for index in copies_of(query, references)
    )


def _reason(score: float, scores: Sequence[float] | npt.NDArray[np.floating], index: int) -> str:
    ratio = score / float(np.median(np.delete(np.asarray(scores), index)))
    return (
        f"Reference {index + 1} differs from the other references {ratio:.1f} times as much as they "
        "usually differ from each other. Look whether it is normal and of the same kind; "
        "leave it out if in doubt."
    )
