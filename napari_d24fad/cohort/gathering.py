"""From the folders of all cases to the table and the overview."""

from __future__ import annotations

from dataclasses import dataclass

from napari_d24fad.cohort.overview import save_overview
from napari_d24fad.cohort.place import CohortPlace
from napari_d24fad.cohort.said import statements
from napari_d24fad.cohort.table import ranked, save_table


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was written of a cohort.

    Attributes:
        cases: Cases of the table.
        refused: Those of them without a result.
        pages: Pages of the overview.
        said: What the cohort as a whole tells.
    """

    cases: int
    refused: int
    pages: int
    said: tuple[str, ...]


def gather(place: CohortPlace) -> Gathered:
    """Writes table and overview of all cases that are done.

    Raises:
        SessionError: ``SESSION_BROKEN`` if a row cannot be read.
        CohortError: ``EXTRA_MISSING``.
        ExportError: ``CANNOT_WRITE``.
    """
    rows = ranked(place.row(key) for key in place.done())
    save_table(place.folder, rows)
    said = tuple(statements(rows))
    pages = save_overview(place, rows, said)
    refused = sum(not each.row.is_examined for each in rows)
    return Gathered(len(rows), refused, pages, said)
