"""Saves the session and the report of what the dock shows: asks where, then writes in a worker."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_d24fad.errors import Code, ExportError
from napari_d24fad.findings.findings import Findings
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination
from napari_d24fad.session.saved.case import Case, Marked, View
from napari_d24fad.session.saved.reporting import save_report
from napari_d24fad.session.saved.session_file import save_session
from napari_d24fad.viewer.asking import agrees, agrees_to_save
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.running.jobs import Jobs
from napari_d24fad.viewer.running.run_panel import RunPanel

SUFFIX = ".d24fad"
KINDS = f"Sessions (*{SUFFIX})"
_SAVED = (
    "The session was saved. It holds the paths of scans, which may name patients: pass it on as you would "
    "the scans."
)
_REPORTED = "The report was saved: report.pdf, report.html, findings.csv and findings.json."
_NAME_TAKEN = "A session of this name is there already: choose it to replace it."


class Keeping:
    """Saves what the dock shows.

    Args:
        parent: Widget below the dialogs.
        gallery: Which scans are marked.
        view: The result and what a reader decided of it.
        jobs: Runs the writing.
        run_panel: Tells how it went.
    """

    def __init__(
        self, parent: QWidget, gallery: Gallery, view: ResultView, jobs: Jobs, run_panel: RunPanel
    ) -> None:
        self._parent, self._gallery, self._view = parent, gallery, view
        self._jobs, self._run_panel = jobs, run_panel
        self._saved: Findings | None = None

    @property
    def is_unsaved(self) -> bool:
        """Whether a reader decided something of the result that no session holds."""
        findings = self._view.verdicts.findings
        return findings is not self._saved and any(each.is_judged for each in findings)

    def note_saved(self) -> None:
        """What is decided now is in a session."""
        self._saved = self._view.verdicts.findings

    def save_session(self, examination: Examination | None, path: Path) -> None:
        """Saves scans by their paths, their roles, the result and what was decided of it; no pixels.

        Args:
            examination: The result; None is told to be nothing.
            path: The file, which is replaced.
        """
        if examination is None:
            self._run_panel.show_error(str(ExportError(Code.NOTHING_TO_EXPORT)))
            return
        marked = Marked(self._gallery.references, self._gallery.abnormal)
        read = self._view.verdicts.known(examination)
        view = View(self._view.slice_index)
        decided = self._view.verdicts.findings

        def work(progress: Progress, cancel: CancelToken) -> Findings:
            progress(0.1, "Reading the scans' files, to know them again")
            case = _case(examination, *read, view)
            save_session([case], path, marked=marked, cancel=cancel)
            return decided

        def tell(saved: Findings) -> None:
            self._saved = saved
            self._run_panel.show_note(_SAVED)

        self._jobs.follow("Saving the session", work, tell)

    def save_report(
        self, examination: Examination | None, folder: Path, *, may_replace: bool = False
    ) -> None:
        """Saves the report as PDF and HTML, with tables of findings.

        Args:
            examination: The result; None is told to be nothing.
            folder: Where to.
            may_replace: Whether to replace an earlier report without asking.
        """
        if examination is None:
            self._run_panel.show_error(str(ExportError(Code.NOTHING_TO_EXPORT)))
            return
        read = self._view.verdicts.known(examination)

        def work(progress: Progress, cancel: CancelToken) -> bool:
            case = _case(examination, *read, View())
            cancel.check()
            progress(0.2, "Drawing the report")
            try:
                save_report([case], folder, may_replace=may_replace)
            except ExportError as error:
                if error.code is not Code.FILE_IS_THERE:
                    raise
                return False
            return True

        self._jobs.follow("Saving the report", work, partial(self._tell_or_ask, examination, folder))

    def choose_session(self, examination: Examination | None) -> None:
        """Asks for a file and saves the session there."""
        name = f"session{SUFFIX}"
        path, _ = QFileDialog.getSaveFileName(self._parent, "Save the session", name, KINDS)
        named = Path(path if path.endswith(SUFFIX) else f"{path}{SUFFIX}")
        if path and str(named) != path and named.exists():
            # The dialog asked about the name that was typed only.
            self._run_panel.show_note(_NAME_TAKEN)
        elif path:
            self.save_session(examination, named)

    def choose_report(self, examination: Examination | None) -> None:
        """Asks for a folder and saves the report there."""
        if examination is not None and not agrees_to_save(self._parent, examination.scan):
            return
        folder = QFileDialog.getExistingDirectory(self._parent, "Save the report to a folder")
        if folder:
            self.save_report(examination, Path(folder))

    def _tell_or_ask(self, examination: Examination, folder: Path, is_saved: bool) -> None:
        if is_saved:
            self._run_panel.show_note(_REPORTED)
        elif agrees(self._parent, f"{Code.FILE_IS_THERE.meaning} Replace it?"):
            self.save_report(examination, folder, may_replace=True)
        else:
            self._run_panel.show_note("Nothing was saved.")


def _case(examination: Examination, findings: Findings | None, is_measured: bool, view: View) -> Case:
    """Returns the case of an examination; its findings are measured if they were not yet."""
    from napari_d24fad.findings.making import findings_of, renewed

    scan, anomaly = examination.scan, examination.anomaly
    if findings is None:
        findings = Findings.of(findings_of(scan, anomaly))
    elif not is_measured:
        findings = renewed(findings, scan, anomaly)
    return Case(examination.request, examination, findings, view)
