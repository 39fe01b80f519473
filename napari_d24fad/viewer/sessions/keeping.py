"""Saves the session and the report of what the dock shows: asks where, then writes in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_d24fad.errors import Code, ExportError
from napari_d24fad.findings.findings import Findings
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination
from napari_d24fad.session.saved.autosave import Autosave
from napari_d24fad.session.saved.case import Case, Marked
from napari_d24fad.session.saved.reporting import save_report
from napari_d24fad.session.saved.session_file import save_session
from napari_d24fad.viewer.asking import agrees, agrees_to_save, reports_all
from napari_d24fad.viewer.cases.shown import ShownCases
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.results.look_choice import LookChoice
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
        cases: The results of all scans.
        jobs: Runs the writing.
        run_panel: Tells how it went.
        look: Where the colours of maps are chosen, which reports and sessions have too.
    """

    def __init__(
        self,
        parent: QWidget,
        gallery: Gallery,
        view: ResultView,
        cases: ShownCases,
        jobs: Jobs,
        run_panel: RunPanel,
        look: LookChoice,
    ) -> None:
        self._parent, self._gallery, self._view, self._cases = parent, gallery, view, cases
        self._jobs, self._run_panel, self.look = jobs, run_panel, look
        self._saved: Findings | None = None

    @property
    def is_unsaved(self) -> bool:
        """Whether a reader decided something, or a list was examined, that no session holds."""
        findings = self._view.verdicts.findings
        is_touched = findings is not self._saved and findings.is_touched
        return is_touched or bool(self._cases.unsaved)

    @property
    def is_saved(self) -> bool:
        """Whether a session holds all of it as it is now."""
        is_saved = self._saved is not None and self._view.verdicts.findings is self._saved
        return is_saved and not self._cases.unsaved

    def note_saved(self, *, saved: bool = True) -> None:
        """Notes whether what is decided now is in a session."""
        self._saved = self._view.verdicts.findings if saved else None
        if not saved:
            self._cases.note_unsaved()

    def state(self, examination: Examination) -> tuple[object, ...]:
        """Returns what tells whether something is new since a copy was written; another slice is not."""
        marked = self._gallery.references, self._gallery.abnormal
        results = self._cases.unsaved, self._cases.order
        return id(examination), id(self._view.verdicts.findings), *marked, *results

    def writing(self) -> Callable[[Autosave, CancelToken], None]:
        """Returns what writes a copy of what there is now, for a worker thread."""
        marked = Marked(self._gallery.references, self._gallery.abnormal)
        reads, shown = self._all_cases()

        def write(copy: Autosave, cancel: CancelToken) -> None:
            copy.save((read() for read in reads), marked, shown=shown, cancel=cancel)

        return write

    def save_session(
        self, examination: Examination | None, path: Path, then: Callable[[], None] = lambda: None
    ) -> None:
        """Saves scans by their paths, their roles, all results and what was decided of them; no pixels.

        Args:
            examination: The result that is shown; None: the message says that there is nothing to save.
            path: The file, which is replaced.
            then: Called when it is saved.
        """
        if examination is None:
            self._run_panel.show_error(str(ExportError(Code.NOTHING_TO_EXPORT)))
            return
        if self._jobs.is_busy:  # a session that is being opened may have more results then
            again = partial(self.save_session, examination, path, then)
            self._jobs.when_idle("Saving the session", again)
            return
        marked = Marked(self._gallery.references, self._gallery.abnormal)
        reads, shown = self._all_cases()
        unsaved, decided = self._cases.unsaved, self._view.verdicts.findings

        def work(progress: Progress, cancel: CancelToken) -> Findings:
            def cases() -> Iterator[Case]:  # one at a time in memory
                for at, read in enumerate(reads):
                    progress(at / len(reads), f"Case {at + 1} of {len(reads)}")
                    yield read()

            save_session(cases(), path, marked=marked, shown=shown, cancel=cancel)
            return decided

        def tell(saved: Findings) -> None:
            self._saved = saved
            self._cases.note_saved(unsaved)
            self._run_panel.show_note(_SAVED)
            then()

        self._jobs.follow("Saving the session", work, tell)

    def save_report(
        self,
        examination: Examination | None,
        folder: Path,
        *,
        of_all: bool = False,
        may_replace: bool = False,
    ) -> None:
        """Saves the report as PDF and HTML, with tables of findings.

        Args:
            examination: The result that is shown; None: the message says that there is nothing to save.
            folder: Where to.
            of_all: Whether all results of the list are reported, a page each, or the one that is shown.
            may_replace: Whether to replace an earlier report without asking.
        """
        if examination is None:
            self._run_panel.show_error(str(ExportError(Code.NOTHING_TO_EXPORT)))
            return
        if self._jobs.is_busy:
            later = partial(self.save_report, examination, folder, of_all=of_all, may_replace=may_replace)
            self._jobs.when_idle("Saving the report", later)
            return
        findings, is_measured = self._view.verdicts.known(examination)
        shown = Case(examination.request, examination)
        view = replace(self._cases.view_of(examination.request.query), colours=self.look.name)
        reads: Sequence[Callable[[], Case]] = (
            partial(shown.read_by, findings, view, is_measured=is_measured),
        )
        if of_all:
            reads, _ = self._all_cases()

        def work(progress: Progress, cancel: CancelToken) -> bool:
            from napari_d24fad.session.saved.reopening import with_pixels  # imports the readers

            def cases() -> Iterator[Case]:  # one at a time in memory
                for at, read in enumerate(reads):
                    cancel.check()
                    progress((at + 0.2) / len(reads), f"Drawing the report, {at + 1} of {len(reads)}")
                    yield with_pixels(read(), cancel=cancel)[0]

            try:
                save_report(cases(), folder, may_replace=may_replace)
            except ExportError as error:
                if error.code is not Code.FILE_IS_THERE:
                    raise
                return False
            return True

        again = partial(self.save_report, examination, folder, of_all=of_all, may_replace=True)
        self._jobs.follow("Saving the report", work, partial(self._tell_or_ask, again))

    def choose_session(
        self, examination: Examination | None, then: Callable[[], None] = lambda: None
    ) -> None:
        """Asks for a file and saves the session there, and then does something else."""
        name = f"session{SUFFIX}"
        path, _ = QFileDialog.getSaveFileName(self._parent, "Save the session", name, KINDS)
        named = Path(path if path.endswith(SUFFIX) else f"{path}{SUFFIX}")
        if path and str(named) != path and named.exists():
            # The dialog asked about the name that was typed only.
            self._run_panel.show_note(_NAME_TAKEN)
        elif path:
            self.save_session(examination, named, then)

    def choose_report(self, examination: Examination | None) -> None:
        """Asks of what, where several scans were examined, and for a folder, and saves the report there."""
        scans = [series.outline for series in self._cases.order]
        of_all = False
        if examination is not None and len(scans) > 1:
            chosen = reports_all(self._parent, len(scans))
            if chosen is None:
                return
            of_all = chosen
        reported = scans if of_all else [] if examination is None else [examination.scan]
        if not all(agrees_to_save(self._parent, scan) for scan in reported):
            return
        folder = QFileDialog.getExistingDirectory(self._parent, "Save the report to a folder")
        if folder:
            self.save_report(examination, Path(folder), of_all=of_all)

    def _all_cases(self) -> tuple[tuple[Callable[[], Case], ...], int]:
        """See `ShownCases.all_cases`; all have the colours that are chosen now."""
        reads, shown = self._cases.all_cases()
        return tuple(partial(_coloured, read, self.look.name) for read in reads), shown

    def _tell_or_ask(self, again: Callable[[], None], is_saved: bool) -> None:
        if is_saved:
            self._run_panel.show_note(_REPORTED)
        elif agrees(self._parent, f"{Code.FILE_IS_THERE.meaning} Replace it?"):
            again()
        else:
            self._run_panel.show_note("Nothing was saved.")


def _coloured(read: Callable[[], Case], colours: str) -> Case:
    case = read()
    return replace(case, view=replace(case.view, colours=colours))
