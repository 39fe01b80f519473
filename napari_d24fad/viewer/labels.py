"""The list of what findings can be called: the reader edits it, and it is kept for later days."""

from __future__ import annotations

import json
from collections.abc import Iterable

from qtpy.QtWidgets import QInputDialog, QMessageBox, QWidget

from napari_d24fad.atomic import atomic_file
from napari_d24fad.errors import ExportError
from napari_d24fad.findings.findings import LABELS
from napari_d24fad.settings import labels_file

_MOST = 200
_LONGEST = 80


def read_labels() -> tuple[str, ...]:
    """Returns the reader's list; the first one where there is none, or none that can be read."""
    try:
        found = json.loads(labels_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return LABELS
    return (
        _clean(found) if isinstance(found, list) and all(isinstance(each, str) for each in found) else LABELS
    )


def write_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Keeps a list in place of the one before, and returns it without blanks and repetitions.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    kept = _clean(labels)
    with atomic_file(labels_file()) as path:
        path.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
    return kept


def ask_for_labels(parent: QWidget, labels: Iterable[str]) -> tuple[str, ...] | None:
    """Lets the reader edit the list, one label a line, and keeps it; None if nothing was changed."""
    told = "What findings can be called, one a line:"
    text, agreed = QInputDialog.getMultiLineText(parent, "Labels of findings", told, "\n".join(labels))
    if not agreed:
        return None
    try:
        return write_labels(text.splitlines())
    except ExportError as error:
        QMessageBox.warning(parent, "Labels of findings", str(error))
        return None


def _clean(labels: Iterable[str]) -> tuple[str, ...]:
    stripped = (" ".join(label.split())[:_LONGEST] for label in labels)
    return tuple(dict.fromkeys(label for label in stripped if label))[:_MOST]
