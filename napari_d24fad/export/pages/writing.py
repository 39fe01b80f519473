"""Writes the report of cases: PDF, HTML, and tables of findings, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from napari_d24fad.atomic import atomic_folder
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.pages.entry import CaseEntry
from napari_d24fad.export.pages.html import html_of
from napari_d24fad.export.pages.page import Page, page_of
from napari_d24fad.export.pages.pdf import pdf_of
from napari_d24fad.export.pages.tables import findings_csv, findings_table
from napari_d24fad.export.report import as_json

NAMES = ("report.pdf", "report.html", "findings.csv", "findings.json")


def check_free(folder: Path, *, may_replace: bool = False) -> None:
    """Returns if a report would replace nothing in a folder.

    Raises:
        ExportError: ``FILE_IS_THERE`` if it would, and that was not agreed to.
    """
    if not may_replace and any((folder / name).exists() for name in NAMES):
        raise ExportError(Code.FILE_IS_THERE)


def save_pages(folder: Path, entries: Iterable[CaseEntry], *, may_replace: bool = False) -> dict[str, Any]:
    """Writes the report of cases.

    Args:
        folder: Where to; made if it is not there.
        entries: The cases, in their order; taken one at a time, so that a generator keeps one in memory.
        may_replace: Whether an earlier report may be replaced.

    Returns:
        What was written as ``findings.json``.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses, and the folder is as it was;
            ``FILE_IS_THERE`` as `check_free`; ``NOTHING_TO_EXPORT`` without a case.
    """
    check_free(folder, may_replace=may_replace)
    pages: list[Page] = []

    def drawn() -> Iterator[CaseEntry]:
        for entry in entries:
            pages.append(page_of(entry))
            yield entry

    table = findings_table(drawn())
    if not pages:
        raise ExportError(Code.NOTHING_TO_EXPORT)
    pdf, html = pdf_of(pages), html_of(pages)
    with atomic_folder(folder) as new:
        (new / "report.pdf").write_bytes(pdf)
        (new / "report.html").write_text(html, encoding="utf-8")
        # With a mark of its encoding, without which spreadsheets take it for another.
        (new / "findings.csv").write_text(findings_csv(table), encoding="utf-8-sig", newline="")
        (new / "findings.json").write_text(as_json(table) + "\n", encoding="utf-8")
    return table
