"""Writes the tables of docs/ anew: ``make docs``, or ``python -m tests.tables [errors.md ...]``."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.tables.architecture import architecture, drawing
from tests.tables.card import card
from tests.tables.conformance import conformance
from tests.tables.errors import errors
from tests.tables.pydicom_files import pydicom_files
from tests.tables.transfer_syntaxes import transfer_syntaxes

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {
    "architecture.md": architecture,
    "figures/architecture.svg": drawing,
    "card.md": card,
    "errors.md": errors,
    "formats/transfer-syntaxes.md": transfer_syntaxes,
    "formats/pydicom-files.md": pydicom_files,
    "formats/conformance.md": conformance,
}


def main(names: list[str]) -> None:
    """Writes the pages of these names, or all."""
    for name in names or PAGES:
        (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
