"""Asks before something is saved that the user may not want saved, or not there."""

from __future__ import annotations

from qtpy.QtWidgets import QMessageBox, QWidget

from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Problem, Scan


def agrees_to_save(parent: QWidget, scan: Scan) -> bool:
    """Returns whether pictures of a scan may be saved whose pixels may show who the patient is.

    The user is asked only if there is reason to.

    Args:
        parent: Widget below the question.
        scan: What the pictures show.
    """
    if not scan.may_show_identity:
        return True
    return _agrees(parent, f"{Problem(Code.BURNED_IN)} Save all the same?")


def agrees_to_replace(parent: QWidget) -> bool:
    """Returns whether results of another scan may be replaced.

    Args:
        parent: Widget below the question.
    """
    return _agrees(parent, f"{Code.RESULTS_OF_ANOTHER.meaning} Replace them?")


def _agrees(parent: QWidget, question: str) -> bool:
    yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
    return bool(QMessageBox.warning(parent, "Save", question, yes | no, no) == yes)
