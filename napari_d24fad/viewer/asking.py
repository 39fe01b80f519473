"""Asks before something is saved that the user may not want saved, or not there."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Problem, Scan

_PATHS = 8
_UNSAVED = "Results or verdicts are not saved in a session yet. Save them before the viewer is closed?"
PANEL_UNSAVED = (
    "Results or verdicts are not saved in a session yet. Save them now that the panel is closed? "
    "Otherwise they are there again when you open the panel, as long as the viewer is open."
)
_FOREIGN = (
    "This session was not saved by you on this machine. To show it, the scans at the paths below are opened. "
    "Do you know these paths, and may they be opened?"
)


class Closing(Enum):
    """What to do with unsaved work when its window is closed."""

    SAVE = "save"
    DISCARD = "discard"
    CANCEL = "cancel"


def what_of_unsaved(parent: QWidget, question: str = _UNSAVED) -> Closing:
    """Returns what the user wants of work that is not saved; to save it is offered first.

    Args:
        parent: Widget below the question.
        question: In full.
    """
    kinds = QMessageBox.StandardButton
    answers = {kinds.Save: Closing.SAVE, kinds.Discard: Closing.DISCARD, kinds.Cancel: Closing.CANCEL}
    buttons = kinds.Save | kinds.Discard | kinds.Cancel
    answer = QMessageBox.warning(parent, "Find anomalies", question, buttons, kinds.Save)
    return answers.get(answer, Closing.CANCEL)


def reports_all(parent: QWidget, count: int) -> bool | None:
    """Returns whether all results are to be reported, or the one that is shown; None for no report.

    Args:
        parent: Widget below the question.
        count: How many results there are.
    """
    box = QMessageBox(QMessageBox.Icon.Question, "Report", "What is to be reported?", parent=parent)
    every = box.addButton(f"All {count} results", QMessageBox.ButtonRole.AcceptRole)
    shown = box.addButton("The one that is shown", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    return {every: True, shown: False}.get(box.clickedButton())


def agrees_to_save(parent: QWidget, scan: Scan) -> bool:
    """Returns whether pictures of a scan may be saved whose pixels may show who the patient is.

    The user is asked only if there is reason to.

    Args:
        parent: Widget below the question.
        scan: What the pictures show.
    """
    if not scan.may_show_identity:
        return True
    return agrees(parent, f"{Problem(Code.BURNED_IN)} Save all the same?")


def agrees_to_replace(parent: QWidget) -> bool:
    """Returns whether results of another scan may be replaced.

    Args:
        parent: Widget below the question.
    """
    return agrees(parent, f"{Code.RESULTS_OF_ANOTHER.meaning} Replace them?")


def agrees_to_open(parent: QWidget, paths: Sequence[str]) -> bool:
    """Returns whether paths may be opened that somebody else chose.

    Args:
        parent: Widget below the question.
        paths: All of them are shown, the first at once.
    """
    shown = "\n".join(paths[:_PATHS])
    more = f"\nand {len(paths) - _PATHS} more" if len(paths) > _PATHS else ""
    box = QMessageBox(QMessageBox.Icon.Warning, "Open the session", _FOREIGN, parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(f"{shown}{more}")
    box.setDetailedText("\n".join(paths))
    box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No)
    box.setDefaultButton(QMessageBox.StandardButton.No)
    box.exec()
    return bool(box.standardButton(box.clickedButton()) == QMessageBox.StandardButton.Yes)


def agrees(parent: QWidget, question: str) -> bool:
    """Returns whether the user says yes; no is offered first.

    Args:
        parent: Widget below the question.
        question: In full.
    """
    yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
    return bool(QMessageBox.warning(parent, "Find anomalies", question, yes | no, no) == yes)
