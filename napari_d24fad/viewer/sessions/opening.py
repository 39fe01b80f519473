"""Opens a session in the dock: its scans, their roles, the result and what was decided of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QSignalBlocker, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_d24fad.errors import D24fadError
from napari_d24fad.progress import CancelToken, Progress, part
from napari_d24fad.session.cases.listed import Outcome
from napari_d24fad.session.cases.store import CaseStore
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.asking import agrees, agrees_to_open
from napari_d24fad.viewer.cases.reading_list import ReadingList
from napari_d24fad.viewer.examining import Examining
from napari_d24fad.viewer.gallery.filling import GalleryFilling
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.running.jobs import Jobs
from napari_d24fad.viewer.running.run_panel import RunPanel
from napari_d24fad.viewer.sessions.keeping import KINDS, Keeping

if TYPE_CHECKING:
    from napari_d24fad.session.saved.case import Case
    from napari_d24fad.session.saved.reopening import OpenedSession
    from napari_d24fad.session.saved.session_file import SessionFile

_UNSAVED = "Verdicts on the present result are not saved in a session and would be lost. Open another one?"
_NOT_OPENED = "Nothing was opened."
_OPENED = "The session was opened; nothing was computed again. Why and other levels need a new run."
_ONE_OF = "It has {count} results: J and K go from one to the next."
_NOT_ALL = (
    "Its other results were not read. They are in the file: open it again, and save nothing in its place."
)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A session whose scans were found: the case to show, and what to say."""

    found: OpenedSession
    outcome: Outcome | None
    case: Case | None
    others: tuple[int, ...]
    told: tuple[str, ...]


class SessionOpening(QObject):
    """Brings a session back without a new run: the result that was shown at once, then the others.

    Args:
        parent: Widget below the dialogs.
        gallery: Gets the roles.
        filling: Shows the scans in the gallery.
        examining: Takes the result.
        keeping: Knows what is not saved.
        reading: Takes the results of all scans.
        jobs: Reads the files.
        run_panel: Gets the settings of the run, and tells how it went.
    """

    opened = Signal()
    """All results of a session are there."""

    def __init__(
        self,
        parent: QWidget,
        gallery: Gallery,
        filling: GalleryFilling,
        examining: Examining,
        keeping: Keeping,
        reading: ReadingList,
        jobs: Jobs,
        run_panel: RunPanel,
    ) -> None:
        super().__init__()
        self._parent, self._gallery, self._filling = parent, gallery, filling
        self._examining, self._keeping, self._reading = examining, keeping, reading
        self._jobs, self._run_panel = jobs, run_panel
        self._is_copy = self._has_begun = self.is_busy = False
        """Whether results are still to come: nothing may be written in place of the file."""
        jobs.ended.connect(self._note_end)

    def choose(self) -> None:
        """Asks for a session and opens it."""
        path, _ = QFileDialog.getOpenFileName(self._parent, "Open a session", "", KINDS)
        if path:
            self.open(Path(path))

    def open(self, path: Path, *, is_copy: bool = False) -> None:
        """Reads a session; its scans are opened if it is this user's own, or the user agrees to the paths.

        Args:
            path: The file.
            is_copy: Whether it holds work that was not saved, which it is not by being opened.
        """
        self._is_copy = is_copy
        if self._keeping.is_unsaved and not agrees(self._parent, _UNSAVED):
            self._run_panel.show_note(_NOT_OPENED)
            return

        def work(progress: Progress, cancel: CancelToken) -> SessionFile:
            from napari_d24fad.session.saved.session_file import read_session

            return read_session(path, at_once=False)

        self._jobs.follow("Reading the session", work, self._ask_for_scans)

    def _ask_for_scans(self, session: SessionFile) -> None:
        paths = dict.fromkeys(study.path for study in session.studies if study.path)
        if not session.is_own and paths and not agrees_to_open(self._parent, list(paths)):
            self._run_panel.show_note(_NOT_OPENED)
            return
        self._reading.stop()
        work = partial(_open, session, self._reading.cases.store)
        self._jobs.follow("Opening the scans", work, self._show)

    def _show(self, opened: _Opened) -> None:
        case, gallery, cases = opened.case, self._gallery, self._reading.cases
        roles = _roles(opened)
        with QSignalBlocker(gallery):  # each role alone would start a scoring
            self._filling.close_studies()  # else the same scans would be listed twice
            for series in gallery.series:
                gallery.set_role(series, Role.NONE)
            self._filling.add_study(list(dict.fromkeys([*opened.found.queries, *roles])))
            for series, role in roles.items():
                if series.refusal is None:
                    gallery.set_role(series, role)
            if case is not None:
                self._restore(case)
        examination = None if case is None else case.examination
        has_pixels = examination is not None and examination.scan.has_pixels
        cases.clear()
        if opened.outcome is not None:
            cases.put_saved([replace(opened.outcome, case=case) if has_pixels else opened.outcome])
        self._examining.offer_choices()
        if case is not None:
            request = case.request
            settings = self._run_panel.settings
            settings.choose(str(request.model), request.device, request.ct_window, request.direction)
            self._keeping.look.choose(case.view.colours)
        if case is not None and examination is not None and has_pixels:
            self._examining.take(examination, case.findings, case.view.slice_index)
            self._keeping.note_saved(saved=not self._is_copy)
        gallery.roles_changed.emit()
        self._run_panel.show_note("\n".join(opened.told))
        if not opened.others:
            self.opened.emit()
            return
        self.is_busy, self._has_begun = True, False

        def work(progress: Progress, cancel: CancelToken) -> tuple[Outcome, ...]:
            self._has_begun = True
            return _read_others(opened, cases.store, progress, cancel)

        self._jobs.follow("Reading the other results", work, partial(self._take_others, opened.told))

    def _take_others(self, told: tuple[str, ...], outcomes: tuple[Outcome, ...]) -> None:
        self.is_busy = False
        self._reading.cases.put_saved(outcomes)
        if self._is_copy:
            self._keeping.note_saved(saved=False)
        count = len(self._reading.cases.listed.results)
        self._run_panel.show_note("\n".join((*told, _ONE_OF.format(count=count))))
        self.opened.emit()

    def _note_end(self) -> None:
        """Says so where the other results were not read to the end."""
        if self.is_busy and self._has_begun:  # else what ended is the job before
            self.is_busy = False
            self._run_panel.show_note(f"{self._run_panel.message}\n{_NOT_ALL}")

    def _restore(self, case: Case) -> None:
        """Gives references their shares and examples their kinds and lesions, where the scans were found."""
        shown, request = self._gallery.series, case.request
        for series, share in zip(request.references, request.shares or (), strict=False):
            if series in shown:
                self._gallery.card(series).set_share(share)
        for example in request.abnormal:
            if example.series in shown:
                row = self._gallery.card(example.series).example
                row.set_kind(example.kind)
                row.set_lesion(example.lesion, example.series)


def _roles(opened: _Opened) -> dict[Series, Role]:
    """Returns the role of each scan; in the order of the case, on which its result depends."""
    found = opened.found
    normal: Iterable[Series] = found.marked.normal
    abnormal: Iterable[Series] = found.marked.abnormal
    roles: dict[Series, Role] = {}
    if opened.case is not None:
        request = opened.case.request
        roles[request.query] = Role.QUERY
        used = [each for each in request.references if each in set(found.marked.normal)]
        normal = dict.fromkeys([*used, *found.marked.normal])
        known = [each.series for each in request.abnormal if each.series in set(found.marked.abnormal)]
        abnormal = dict.fromkeys([*known, *found.marked.abnormal])
    for role, marked in ((Role.REFERENCE, normal), (Role.ABNORMAL, abnormal)):
        for each in marked:
            roles.setdefault(each, role)
    for each in found.series:
        roles.setdefault(each, Role.NONE)
    return roles


def _open(session: SessionFile, store: CaseStore, progress: Progress, cancel: CancelToken) -> _Opened:
    """Finds all scans, and reads the result that was shown, or else the first that there is."""
    from napari_d24fad.session.saved.reopening import open_scans, with_pixels

    found = open_scans(session, part(progress, 0.0, 0.8), cancel)
    told = [str(problem) for problem in found.problems]
    at = session.shown if session.shown in session.examined else next(iter(session.examined), 0)
    outcome = None
    case = _read(found, at) if found.cases else None
    if case is not None and case.examination is not None:
        outcome = Outcome(case.request, store.keep(case))
        try:
            case, problems = with_pixels(case, part(progress, 0.8, 1.0), cancel)
        except D24fadError as error:  # its roles are of use all the same
            told.append(str(error))
        else:
            told += [str(problem) for problem in problems]
            told.insert(0, _OPENED)
    others = tuple(each for each in session.examined if each != at)
    return _Opened(found, outcome, case, others, tuple(dict.fromkeys(told)))


def _read_others(
    opened: _Opened, store: CaseStore, progress: Progress, cancel: CancelToken
) -> tuple[Outcome, ...]:
    outcomes = []
    for number, at in enumerate(opened.others):  # one at a time in memory
        cancel.check()
        progress(number / len(opened.others), f"Result {number + 2} of {len(opened.others) + 1}")
        case = _read(opened.found, at)
        outcomes.append(Outcome(case.request, store.keep(case)))
    return tuple(outcomes)


def _read(found: OpenedSession, at: int) -> Case:
    case = found.cases[at]
    if case.examination is None:
        return case
    # Features are in no session: distances could not be drawn, and clear would read as normal.
    anomaly = replace(case.examination.anomaly, has_student=False)
    return replace(case, examination=replace(case.examination, anomaly=anomaly))
