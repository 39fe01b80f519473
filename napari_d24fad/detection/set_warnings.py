"""What is doubtful about references as a set, and about a query that is one of them in disguise."""

from __future__ import annotations

from collections.abc import Sequence

from napari_d24fad.detection.copies import Likeness
from napari_d24fad.detection.encoded import Encoded

FEW_REFERENCES = 4
"""Fewer are said to be few."""


def set_warnings(references: Sequence[Encoded], likeness: Likeness) -> tuple[str, ...]:
    """Says what is doubtful about a set of references as a whole.

    Args:
        references: Their features.
        likeness: Of these references.
    """
    sentences = []
    if len(references) < FEW_REFERENCES:
        sentences.append(
            f"With {len(references)} references little is known of how normal scans differ; "
            "use eight if you have them."
        )
    sentences += [
        f"References {first + 1} and {second + 1} are almost the same picture and count like one."
        for first, second in likeness.pairs
    ]
    return tuple(sentences)


def query_warnings(query: Encoded, references: Sequence[Encoded], likeness: Likeness) -> tuple[str, ...]:
    """Says whether the query is among its own references under another guise.

    Args:
        query: Features of the query.
        references: Features of the references.
        likeness: Of these references.
    """
    return tuple(
        f"Reference {index + 1} is almost the same picture as this scan; what both show cannot be found."
        for index in likeness.copies_of(query, references)
    )
