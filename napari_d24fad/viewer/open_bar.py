"""What opens a study: buttons with their dialogs, and whether identities are shown."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QGridLayout, QPushButton, QWidget

_KINDS = "Images (*.dcm *.nii *.nii.gz *.png *.jpg *.jpeg *.tif *.tiff *.zip);;All files (*)"


class OpenBar(QWidget):
    """Asks for a folder or for files, and whether whose they are is shown."""

    open_requested = Signal(tuple)
    """The `Path` of each folder or file the user chose."""
    session_requested = Signal()
    """The user wants to go on with a session."""
    archive_requested = Signal()
    """The user wants to fetch from an archive (PACS), or to send to one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder, self._files = QPushButton("Open folder…"), QPushButton("Open files…")
        self._folder.setToolTip("Open a folder with DICOM, NIfTI or image files (or drop it here)")
        self._files.setToolTip("Open DICOM, NIfTI or image files (or drop them here)")
        self._folder.clicked.connect(self._choose_folder)
        self._files.clicked.connect(self._choose_files)
        self._identity = QCheckBox("Show identity")
        self._identity.setToolTip(
            "Name patients and files in studies that are opened from now on, and in pictures of them"
        )
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(2)
        layout.addWidget(self._folder, 0, 0)
        layout.addWidget(self._files, 0, 1)
        self._session = QPushButton("Open session…")
        self._session.setToolTip(
            "Go on with a saved session, in place of what is open: scans, roles, result and verdicts"
        )
        self._session.clicked.connect(self.session_requested)
        self._archive = QPushButton("Archive…")
        self._archive.setToolTip("Fetch studies from an archive (PACS), or send DICOM files to one")
        self._archive.clicked.connect(self.archive_requested)
        layout.addWidget(self._archive, 0, 2)
        layout.addWidget(self._identity, 1, 0)
        layout.addWidget(self._session, 1, 1, 1, 2)

    @property
    def folder_button(self) -> QPushButton:
        """Opens a folder."""
        return self._folder

    @property
    def files_button(self) -> QPushButton:
        """Opens files."""
        return self._files

    @property
    def archive_button(self) -> QPushButton:
        """Opens the window of archives."""
        return self._archive

    @property
    def identity_box(self) -> QCheckBox:
        """Whether identities are to be shown."""
        return self._identity

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Open a study")
        if folder:
            self.open_requested.emit((Path(folder),))

    def _choose_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, "Open images", "", _KINDS)
        if files:
            self.open_requested.emit(tuple(Path(file) for file in files))
