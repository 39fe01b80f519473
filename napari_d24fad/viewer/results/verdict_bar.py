"""Where a reader decides on the finding that is chosen in the table of regions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.findings.finding import Finding, Verdict
from napari_d24fad.findings.findings import Findings
from napari_d24fad.viewer.narrow import NarrowBox

_HINT = "Nothing is decided yet: accept, reject or note the region that is chosen in the table."
_NO_LABEL, _EDIT_LABELS = "No label", "Edit the list…"
_UNSHOWN = "not on the picture, not in the report"


class _NoteLine(QLineEdit):
    left = Signal()
    """The user has done with it: back to the table."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: Return and Escape lead back; letters are for the note, never for the dock."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.left.emit()
        else:
            super().keyPressEvent(event)
            event.accept()


class VerdictBar(QWidget):
    """Accept, reject, undo, redo, and a note; tells what the user wants and changes nothing itself."""

    judged = Signal(object)
    """The `Verdict` for the row that is chosen."""
    noted = Signal(str)
    """The note for that row."""
    labelled = Signal(str)
    """What that row is called; empty for nothing."""
    labels_requested = Signal()
    """The user wants to edit the list of labels."""
    undo_requested = Signal()
    """The user takes the last decision back."""
    redo_requested = Signal()
    """The user does it again."""

    def __init__(self) -> None:
        super().__init__()
        self._verdict, self._written = Verdict.UNDECIDED, ""
        self._accept = _button("Accept (A)", "Accept this region as a finding; once more takes it back")
        self._reject = _button("Reject (X)", "Reject this region: it is neither coloured nor reported")
        self._undo, self._redo = QToolButton(), QToolButton()
        tools = ((self._undo, "Undo", "Ctrl+Z"), (self._redo, "Redo", "Ctrl+Shift+Z"))
        for tool, name, keys in tools:
            tool.setText(name)
            tool.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # a note that is written counts first
            tool.setToolTip(f"{name} the last verdict or note ({keys} in the table)")
        self._note = _NoteLine()
        self._note.setAccessibleName("Note on the finding")
        self._note.setToolTip("A note on this finding (N); it stands in the report, so name nobody")
        self._label = NarrowBox()
        self._label.setAccessibleName("What the finding is called")
        self._label.setToolTip("What this finding is called; the last entry edits the list")
        self._labels: tuple[str, ...] = ()
        self._summary = QLabel()
        self._summary.setWordWrap(True)
        self._summary.setAccessibleName("Verdicts")
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for part in (self._accept, self._reject):
            buttons.addWidget(part, 1)
        for part in (self._undo, self._redo):
            buttons.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(buttons)
        written = QHBoxLayout()
        written.setSpacing(2)
        written.addWidget(self._label, 2)
        written.addWidget(self._note, 3)
        layout.addLayout(written)
        layout.addWidget(self._summary)
        self._accept.clicked.connect(partial(self._toggle, Verdict.ACCEPTED))
        self._reject.clicked.connect(partial(self._toggle, Verdict.REJECTED))
        self._undo.clicked.connect(self.undo_requested)
        self._redo.clicked.connect(self.redo_requested)
        self._label.activated.connect(self._tell_label)
        self._note.editingFinished.connect(self._tell_note)
        self._note.left.connect(self._tell_note)
        self.show_row(chosen=False, finding=None)
        self.show_state(Findings(), may_undo=False, may_redo=False)

    @property
    def accept_button(self) -> QPushButton:
        """Accepts."""
        return self._accept

    @property
    def reject_button(self) -> QPushButton:
        """Rejects."""
        return self._reject

    @property
    def undo_button(self) -> QToolButton:
        """Undoes."""
        return self._undo

    @property
    def redo_button(self) -> QToolButton:
        """Does again."""
        return self._redo

    @property
    def note_line(self) -> _NoteLine:
        """The note."""
        return self._note

    @property
    def label_box(self) -> QComboBox:
        """What the finding is called."""
        return self._label

    @property
    def summary(self) -> str:
        """How many findings are accepted and rejected."""
        return str(self._summary.text())

    def ask(self, verdict: Verdict) -> None:
        """Asks for a verdict as the button does: the same again takes it back."""
        if self._accept.isEnabled():
            self._toggle(verdict)

    def show_row(self, *, chosen: bool, finding: Finding | None) -> None:
        """Shows what was decided of a row.

        Args:
            chosen: Whether there is a row to decide on.
            finding: What it is; None if nothing was decided of it yet.
        """
        self._verdict = Verdict.UNDECIDED if finding is None else finding.verdict
        for button, verdict in ((self._accept, Verdict.ACCEPTED), (self._reject, Verdict.REJECTED)):
            button.setEnabled(chosen)
            button.setChecked(chosen and self._verdict is verdict)
        self._label.setEnabled(chosen)
        self._show_label("" if finding is None else finding.label)
        self._written = "" if finding is None else finding.note
        self._note.setEnabled(chosen)
        self._note.setText(self._written)
        self._note.setCursorPosition(0)  # of a long note its beginning is seen
        which = "this region" if finding is None else f"finding {finding.number}"
        self._note.setPlaceholderText(f"Note on {which}" if chosen else "")

    def offer_labels(self, labels: Sequence[str]) -> None:
        """Offers what findings can be called; what is chosen stays chosen."""
        chosen = self._chosen_label
        self._labels = tuple(labels)
        self._show_label(chosen)

    @property
    def _chosen_label(self) -> str:
        row = self._label.currentIndex()
        return str(self._label.itemData(row) or "") if row >= 0 else ""

    def _show_label(self, label: str) -> None:
        """Shows the list, with what a finding is called though it is no longer in it."""
        listed = dict.fromkeys((*self._labels, *([label] if label else ())))
        with QSignalBlocker(self._label):
            self._label.clear()
            self._label.addItem(_NO_LABEL, "")
            for each in listed:
                self._label.addItem(each, each)
            self._label.addItem(_EDIT_LABELS, None)
            self._label.setCurrentIndex(max(0, self._label.findData(label)))

    def _tell_label(self, row: int) -> None:
        if row == self._label.count() - 1:
            self._show_label("")
            self.labels_requested.emit()
        else:
            self.labelled.emit(str(self._label.itemData(row) or ""))

    def show_state(self, findings: Findings, *, may_undo: bool, may_redo: bool) -> None:
        """Counts verdicts, and offers to undo and redo."""
        self._undo.setEnabled(may_undo)
        self._redo.setEnabled(may_redo)
        counts = {verdict: sum(each.verdict is verdict for each in findings) for verdict in Verdict}
        accepted, rejected = counts[Verdict.ACCEPTED], counts[Verdict.REJECTED]
        told = [f"{accepted} accepted"] if accepted else []
        told += [f"{rejected} rejected ({_UNSHOWN})"] if rejected else []
        left = counts[Verdict.UNDECIDED]
        told += [f"{left} undecided"] if told and left else []
        self._summary.setText(", ".join(told) or (_HINT if len(findings) else ""))
        self._summary.setVisible(bool(self._summary.text()))

    def _toggle(self, verdict: Verdict, *_: bool) -> None:
        self.judged.emit(Verdict.UNDECIDED if verdict is self._verdict else verdict)

    def _tell_note(self) -> None:
        if self._note.isEnabled() and self._note.text().strip() != self._written:
            self._written = self._note.text().strip()
            self.noted.emit(self._written)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setCheckable(True)
    button.setToolTip(tip)
    return button
