"""What is doubtful about references as a set, and about a query that is one of them in disguise."""

from __future__ import annotations

from collections.abc import Sequence

from napari_d24fad.detection.encoding.encoded import Encoded
from napari_d24fad.detection.references.copies import Likeness
from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Problem

FEW_REFERENCES = 4
"""Fewer are said to be few."""


def set_warnings(references: Sequence[Encoded], likeness: Likeness) -> tuple[Problem, ...]:
    """Says what is doubtful about a set of references as a whole.

    Args:
        references: Their features.
        likeness: Of these references.
    """
    found = []
    if len(references) < FEW_REFERENCES:
        found.append(Problem(Code.FEW_REFERENCES, f"There are {len(references)}."))
    found += [
        Problem(Code.ALIKE_REFERENCES, f"References {first + 1} and {second + 1}.")
        for first, second in likeness.pairs
    ]
    return tuple(found)


def query_warnings(query: Encoded, references: Sequence[Encoded], likeness: Likeness) -> tuple[Problem, ...]:
    """Says whether the query is among its own references under another guise.

    Args:
        query: Features of the query.
        references: Features of the references.
        likeness: Of these references.
    """
    return tuple(
        Problem(Code.ALIKE_QUERY, f"Reference {index + 1}.")
        for index in likeness.copies_of(query, references)
    )
