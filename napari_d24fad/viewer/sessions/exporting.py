"""Saves the result that is shown as DICOM objects: asks which and where, then writes in a worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.dicom.kinds import KINDS, USUAL
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.session.request import Examination
from napari_d24fad.session.saved.archiving import save_deidentified, save_dicom
from napari_d24fad.session.saved.case import Case, View
from napari_d24fad.viewer.asking import agrees, agrees_to_save
from napari_d24fad.viewer.examining import Examining
from napari_d24fad.viewer.results.panel import ResultsPanel
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.running.jobs import Jobs
from napari_d24fad.viewer.running.run_panel import RunPanel

if TYPE_CHECKING:
    from napari_d24fad.export.dicom.writing import Written  # slow to import

_TOLD = (
    "The objects belong to the study of the scan and name the patient as it does. Exported are the findings "
    "that were accepted; without any, those that were not rejected. Research use only."
)
_SENT_BY = "Archive… on the page Scans sends them."


class KindsDialog(QDialog):
    """Asks which objects to write.

    Args:
        parent: Widget below it.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save DICOM objects")
        told = QLabel(_TOLD)
        told.setWordWrap(True)
        self.boxes = {kind: QCheckBox(meaning) for kind, meaning in KINDS.items()}
        self.without_identity = QCheckBox("Without identity, with copies of the scan that name nobody")
        self.to_archive = QCheckBox("Then send them to an archive, which I choose when they are written")
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._folder = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self._folder.setText("Choose a folder…")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(told)
        for kind, box in self.boxes.items():
            box.setChecked(kind in USUAL)
            box.toggled.connect(self._follow)
            layout.addWidget(box)
        layout.addWidget(self.without_identity)
        layout.addWidget(self.to_archive)
        layout.addWidget(buttons)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is ticked."""
        return tuple(kind for kind, box in self.boxes.items() if box.isChecked())

    def _follow(self) -> None:
        self._folder.setEnabled(bool(self.kinds))


class DicomSaving(QObject):
    """Saves the result that is shown for an archive.

    Args:
        panel: Its button asks for it; below the dialogs.
        examining: What is shown.
        view: What a reader decided of it.
        jobs: Runs the writing.
        run_panel: Tells how it went.
    """

    saved_to_send = Signal(object)
    """The `Path` of each object that was saved, if they are to be sent."""

    def __init__(
        self,
        panel: ResultsPanel,
        examining: Examining,
        view: ResultView,
        jobs: Jobs,
        run_panel: RunPanel,
    ) -> None:
        super().__init__()
        self._panel, self._examining, self._view = panel, examining, view
        self._jobs, self._run_panel = jobs, run_panel
        panel.dicom_button.clicked.connect(self.choose)

    def choose(self) -> None:
        """Asks for kinds and folder, and writes."""
        examination = self._examining.examination
        if examination is None or not agrees_to_save(self._panel, examination.scan):
            return
        dialog = KindsDialog(self._panel)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        folder = QFileDialog.getExistingDirectory(self._panel, "Save DICOM objects to a folder")
        if folder:
            unnamed, to_archive = dialog.without_identity.isChecked(), dialog.to_archive.isChecked()
            self.save(
                examination, Path(folder), dialog.kinds, without_identity=unnamed, to_archive=to_archive
            )

    def save(
        self,
        examination: Examination,
        folder: Path,
        kinds: Sequence[str],
        *,
        without_identity: bool = False,
        to_archive: bool = False,
        may_replace: bool = False,
    ) -> None:
        """Writes the objects.

        Args:
            examination: The result.
            folder: Where to.
            kinds: Of `KINDS`.
            without_identity: Whether to write copies of the scan without identity, and the objects of these.
            to_archive: Whether they are to be sent then; see `saved_to_send`.
            may_replace: Whether to replace earlier objects without asking.
        """
        findings, is_measured = self._view.verdicts.known(examination)

        def work(progress: Progress, cancel: CancelToken) -> Written | None:
            case = Case(examination.request, examination)
            case = case.read_by(findings, View(), is_measured=is_measured)
            cancel.check()
            progress(0.2, "Writing DICOM objects")
            try:
                if without_identity:  # whoever chose this was asked about burned-in names
                    written = save_deidentified(
                        case, folder, kinds, burned_in_accepted=True, may_replace=may_replace,
                        progress=part(progress, 0.2, 1), cancel=cancel,
                    )  # fmt: skip
                else:
                    written = save_dicom(case, folder, kinds, may_replace=may_replace)
            except ExportError as error:
                if error.code is not Code.FILE_IS_THERE:
                    raise
                return None
            return written

        def tell(written: Written | None) -> None:
            if written is None:
                again = partial(
                    self.save, examination, folder, kinds,
                    without_identity=without_identity, to_archive=to_archive, may_replace=True,
                )  # fmt: skip
                self._ask(again)
                return
            how = () if to_archive else (_SENT_BY,)
            self._run_panel.show_note(" ".join([_saved(written.names), *written.left_out, *how]))
            if to_archive:
                self.saved_to_send.emit([folder / name for name in written.names])

        self._jobs.follow("Saving DICOM objects", work, tell)

    def _ask(self, again: Callable[[], None]) -> None:
        if agrees(self._panel, f"{Code.FILE_IS_THERE.meaning} Replace it?"):
            again()
        else:
            self._run_panel.show_note("Nothing was saved.")


def _saved(names: Sequence[str]) -> str:
    images = sum(name.startswith("image_") for name in names)
    objects = [name for name in names if not name.startswith("image_")]
    copies = f" and {images} files of the scan" if images else ""
    return f"Saved: {', '.join(objects)}{copies}."
