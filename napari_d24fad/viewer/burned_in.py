"""Asks before a picture is saved whose pixels may show who the patient is."""

from __future__ import annotations

from qtpy.QtWidgets import QMessageBox, QWidget

from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Problem, Scan


def agrees_to_save(parent: QWidget, scan: Scan) -> bool:
    """Returns whether pictures of a scan may be saved; the user is asked only if there is reason to.

    Args:
        parent: Widget below the question.
        scan: What the pictures show.
    """
    if not scan.may_show_identity:
        return True
    answer = QMessageBox.warning(
        parent,
        "Save",
        f"{Problem(Code.BURNED_IN)} Save all the same?",
        QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No,
        QMessageBox.StandardButton.No,
    )
    return bool(answer == QMessageBox.StandardButton.Yes)
