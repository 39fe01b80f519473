"""The window of archives: search, choose, retrieve, send."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.viewer.archives.found_tree import FoundTree
from napari_d24fad.viewer.archives.search_form import SearchForm
from napari_d24fad.viewer.archives.sent_list import SentList
from napari_d24fad.viewer.pictures import Picture, pixmap
from napari_d24fad.viewer.styles import ERROR, GOOD, edged

_STEPS = 1000
_ARRIVING_PX = 96


class ArchiveDialog(QDialog):
    """Knows no archive and no thread: it asks, and shows what it is told."""

    retrieve_requested = Signal(object, object)
    """A list of `FoundSeries` of one study, and the `Path` of the folder."""
    resume_requested = Signal()
    """The user wants unfinished retrievals to go on."""
    folder_changed = Signal()
    """Studies are kept in another folder now."""
    send_requested = Signal(object)
    """The `Path` of each file to send."""
    setup_requested = Signal(str)
    """The name of the archive to change; empty for a new one."""
    remove_requested = Signal(str)
    """The name of the archive to forget."""
    cancel_requested = Signal()

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Archive")
        self.archives = QComboBox()
        self.archives.setAccessibleName("Archive")
        self.archives.setMinimumWidth(200)
        self.form, self.tree, self.sent = SearchForm(), FoundTree(), SentList()
        self.new_button = _button("New…", "Set up another archive")
        self.change_button = _button("Change…", "Change how this archive is reached, or its password")
        self.remove_button = _button("Forget", "Take this archive off the list, with its password")
        self.same_button = _button("Same patient", "Search for all studies of the patient of this study")
        self.retrieve_button = _button(
            "Retrieve", "Fetch the ticked series of this study and open them; all of their images, or none"
        )
        self.resume_button = _button(
            "Resume", "Go on with retrievals into this folder that were stopped or broke off"
        )
        self.resume_button.hide()
        self.send_button = _button(
            "Send files…", "Send DICOM files, such as exported results, to this archive"
        )
        self.cancel_button = _button("Cancel (Esc)", "Stop; what has arrived is kept for the next try")
        self.folder = QLineEdit(str(folder))
        self.folder.setAccessibleName("Folder for studies")
        self.folder.setToolTip("Studies that are retrieved stay here until you remove them")
        self.folder_button = _button("…", "Choose another folder")
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)  # it may hold what an archive said
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.arriving = QLabel()
        self.arriving.setAccessibleName("The last image that arrived")
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self._arrange()
        self._connect()
        self.set_idle()
        self.resize(860, 560)

    @property
    def archive(self) -> str:
        """The name of the archive that is chosen; empty if none is set up."""
        return str(self.archives.currentText())

    def show_archives(self, names: Sequence[str], chosen: str = "") -> None:
        """Shows the archives that are set up."""
        before = chosen or self.archive
        self.archives.clear()
        self.archives.addItems(list(names))
        if before in names:
            self.archives.setCurrentText(before)
        if not names:
            self.tell("No archive is set up yet: press New…")
        self.set_idle()

    def set_busy(self, step: str, fraction: float = 0.0) -> None:
        """Shows that something is under way."""
        self._enable(busy=True)
        self.bar.show()
        self.bar.setFormat(step)
        self.bar.setValue(round(_STEPS * min(fraction, 1.0)))

    def set_idle(self) -> None:
        """Shows that nothing is under way."""
        self.bar.hide()
        self.arriving.hide()
        self._enable(busy=False)

    @property
    def kept_in(self) -> Path:
        """The folder that studies are kept in."""
        return Path(self.folder.text().strip()).expanduser()

    def show_unfinished(self, count: int) -> None:
        """Offers to go on with retrievals that were not finished."""
        self.resume_button.setText(f"Resume {count} unfinished")
        self.resume_button.setVisible(bool(count))

    def tell(self, text: str, *, colour: str = "") -> None:
        """Says something; nothing clears it."""
        self.message.setText(text)
        self.message.setStyleSheet(edged(colour) if colour else "")
        self.message.setVisible(bool(text))

    def tell_error(self, text: str) -> None:
        """Says what went wrong."""
        self.tell(text, colour=ERROR)

    def tell_done(self, text: str) -> None:
        """Says what was done."""
        self.tell(text, colour=GOOD)

    def show_arriving(self, picture: Picture) -> None:
        """Shows an image that has come while others are still to come."""
        self.arriving.setPixmap(pixmap(picture, QSize(_ARRIVING_PX, _ARRIVING_PX)))
        self.arriving.show()

    def offer(self, files: Sequence[Path]) -> None:
        """Shows files that wait to be sent."""
        self.sent.offer(files)
        self.tell("Choose the archive above, and press the button beside the files.")
        self.set_idle()

    def show_sent(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Shows what became of each file; see `SentList.show_sent`."""
        self.sent.show_sent(rows)

    def _enable(self, *, busy: bool) -> None:
        known, study = bool(self.archive), self.tree.current_study
        self.cancel_button.setEnabled(busy)
        for button in (
            self.form.button, self.send_button, self.change_button, self.remove_button, self.sent.button,
        ):  # fmt: skip
            button.setEnabled(known and not busy)
        self.retrieve_button.setEnabled(not busy and bool(self.tree.chosen))
        self.resume_button.setEnabled(not busy)
        self.same_button.setEnabled(not busy and study is not None and bool(study.patient_id))
        for widget in (self.archives, self.tree, self.new_button):
            widget.setEnabled(not busy)

    def _arrange(self) -> None:
        top, middle, bottom = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for widget in (self.archives, self.new_button, self.change_button, self.remove_button):
            top.addWidget(widget)
        top.addStretch(1)
        top.addWidget(self.send_button)
        middle.addWidget(QLabel("Keep studies in"))
        middle.addWidget(self.folder, 1)
        middle.addWidget(self.folder_button)
        for widget in (self.same_button, self.retrieve_button, self.resume_button, self.cancel_button):
            bottom.addWidget(widget)
        bottom.addWidget(self.arriving)
        bottom.addWidget(self.bar, 1)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.form)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.sent)
        layout.addLayout(middle)
        layout.addLayout(bottom)
        layout.addWidget(self.message)

    def _connect(self) -> None:
        self.form.refused.connect(self.tell_error)
        self.tree.chosen_changed.connect(lambda: self._enable(busy=self.cancel_button.isEnabled()))
        self.archives.currentIndexChanged.connect(lambda _: self.tree.clear())
        self.new_button.clicked.connect(lambda: self.setup_requested.emit(""))
        self.change_button.clicked.connect(lambda: self.setup_requested.emit(self.archive))
        self.remove_button.clicked.connect(lambda: self.remove_requested.emit(self.archive))
        self.cancel_button.clicked.connect(self.cancel_requested)
        self.same_button.clicked.connect(self._search_same)
        self.retrieve_button.clicked.connect(self._retrieve)
        self.resume_button.clicked.connect(self.resume_requested)
        self.folder.editingFinished.connect(self.folder_changed)
        self.send_button.clicked.connect(self._choose_files)
        self.sent.send_requested.connect(self.send_requested)
        self.folder_button.clicked.connect(self._choose_folder)

    def reject(self) -> None:
        """Qt: Escape and the close button; while something is under way, they stop it first."""
        if self.cancel_button.isEnabled():
            self.cancel_requested.emit()
        else:
            super().reject()

    def _search_same(self) -> None:
        study = self.tree.current_study
        if study is not None:
            self.form.show_patient(study.patient_id)

    def _retrieve(self) -> None:
        if not self.folder.text().strip():
            self.tell_error("Choose a folder to keep studies in.")
            return
        self.retrieve_requested.emit(self.tree.chosen, self.kept_in)

    def _choose_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, "Send DICOM files", "", "DICOM (*.dcm);;All files (*)")
        if files:
            self.send_requested.emit([Path(file) for file in files])

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Keep studies in", self.folder.text())
        if folder:
            self.folder.setText(folder)
            self.folder_changed.emit()


def _button(text: str, hint: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(hint)
    button.setAutoDefault(False)  # Enter searches
    return button
