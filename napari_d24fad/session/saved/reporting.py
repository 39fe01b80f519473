"""Writes the report of cases: what ``d24fad report`` and the viewer do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_d24fad.session.saved.case import Case
from napari_d24fad.session.saving import report_entry

if TYPE_CHECKING:
    from napari_d24fad.export.pages.entry import CaseEntry


def save_report(
    cases: Iterable[Case], folder: Path, *, problems: Sequence[str] = (), may_replace: bool = False
) -> dict[str, Any]:
    """Writes ``report.pdf``, ``report.html``, ``findings.csv`` and ``findings.json``, all or nothing.

    Args:
        cases: Those that were examined are reported; without pictures where their scan has no pixels. Taken
            one at a time, so that a generator keeps one in memory.
        folder: Where to; made if it is not there.
        problems: What is to be said in each beside their own warnings, such as scans that are missing; a
            list may grow as cases are taken.
        may_replace: Whether an earlier report in the folder may be replaced.

    Returns:
        What was written as ``findings.json``; see docs/sessions.md.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses; ``FILE_IS_THERE`` if an earlier report would be
            replaced; ``NOTHING_TO_EXPORT`` if no case was examined.
    """
    # Imported when something is saved: they draw with libraries that are slow to import.
    from napari_d24fad.export.pages.writing import save_pages

    entries = (case_entry(case, problems) for case in cases if case.examination is not None)
    return save_pages(folder, entries, may_replace=may_replace)


def case_entry(case: Case, problems: Sequence[str] = ()) -> CaseEntry:
    """Returns what is reported of a case that was examined."""
    from napari_d24fad.export.pages.entry import CaseEntry

    assert case.examination is not None
    entry = report_entry(case.examination)
    view = case.view
    return CaseEntry(entry, case.findings, case.request.shares, view.window, tuple(problems), view.colours)
