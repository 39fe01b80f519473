"""Writes the tables of docs/ anew: ``make docs``, or ``python -m tests.tables [errors|...]``."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.tables.card import card
from tests.tables.conformance import conformance
from tests.tables.errors import errors
from tests.tables.pydicom_files import pydicom_files
from tests.tables.transfer_syntaxes import transfer_syntaxes

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {
    "card": card,
    "errors": errors,
    "transfer-syntaxes": transfer_syntaxes,
    "pydicom-files": pydicom_files,
    "conformance": conformance,
}


def main(names: list[str]) -> None:
    """Writes the pages of these names, or all."""
    for name in names or PAGES:
        (DOCS / f"{name}.md").write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/{name}.md")


if __name__ == "__main__":
    main(sys.argv[1:])
