"""Opens a session in the dock: its scans, their roles, the result and what was decided of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker
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
    from napari_d24fad.session.saved.case import Case, Marked
    from napari_d24fad.session.saved.session_file import SessionFile

_UNSAVED = "Verdicts on the present result are not saved in a session and would be lost. Open another one?"
_NOT_OPENED = "Nothing was opened."
_OPENED = "The session was opened; nothing was computed again. Why and other levels need a new run."
_ONE_OF = "It has {count} results: J and K go from one to the next."


@dataclass(frozen=True, slots=True)
class _Opened:
    """A session that can be shown: its results, one to show, the scans that are marked, and what to say."""

    outcomes: tuple[Outcome, ...]
    case: Case | None
    marked: Marked
    told: tuple[str, ...]


class SessionOpening:
    """Brings a session back without a new run.

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
        self._parent, self._gallery, self._filling = parent, gallery, filling
        self._examining, self._keeping, self._reading = examining, keeping, reading
        self._jobs, self._run_panel = jobs, run_panel
        self._is_copy = False

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
        case, gallery = opened.case, self._gallery
        roles = _roles(opened)
        with QSignalBlocker(gallery):  # each role alone would start a scoring
            self._filling.close_studies()  # else the same scans would be listed twice
            for series in gallery.series:
                gallery.set_role(series, Role.NONE)
            queries = [each.request.query for each in opened.outcomes]
            self._filling.add_study(list(dict.fromkeys([*queries, *roles])))
            for series, role in roles.items():
                if series.refusal is None:
                    gallery.set_role(series, role)
            if case is not None:
                self._restore(case)
        examination = None if case is None else case.examination
        has_pixels = examination is not None and examination.scan.has_pixels
        self._reading.cases.put_all(opened.outcomes, case if has_pixels else None)
        self._examining.offer_choices()
        if case is not None:
            request = case.request
            settings = self._run_panel.settings
            settings.choose(str(request.model), request.device, request.ct_window, request.direction)
        if case is not None and examination is not None and has_pixels:
            self._examining.take(examination, case.findings, case.view.slice_index)
            self._keeping.note_saved(saved=not self._is_copy)
        gallery.roles_changed.emit()
        self._run_panel.show_note("\n".join(opened.told))

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
    normal: Iterable[Series] = opened.marked.normal
    abnormal: Iterable[Series] = opened.marked.abnormal
    roles: dict[Series, Role] = {}
    if opened.case is not None:
        request = opened.case.request
        roles[request.query] = Role.QUERY
        used = [each for each in request.references if each in set(opened.marked.normal)]
        normal = dict.fromkeys([*used, *opened.marked.normal])
        known = [each.series for each in request.abnormal if each.series in set(opened.marked.abnormal)]
        abnormal = dict.fromkeys([*known, *opened.marked.abnormal])
    for role, marked in ((Role.REFERENCE, normal), (Role.ABNORMAL, abnormal)):
        for each in marked:
            roles.setdefault(each, role)
    for outcome in opened.outcomes:
        for each in (outcome.request.query, *outcome.request.references):
            roles.setdefault(each, Role.NONE)
    return roles


def _open(session: SessionFile, store: CaseStore, progress: Progress, cancel: CancelToken) -> _Opened:
    from napari_d24fad.session.saved.reopening import open_scans, with_pixels

    found = open_scans(session, part(progress, 0.0, 0.5), cancel)
    told = [str(problem) for problem in found.problems]
    outcomes: list[Outcome] = []
    case: Case | None = None
    for at, each in enumerate(found.cases):  # which are read one at a time
        cancel.check()
        progress(0.5 + 0.3 * at / len(found.cases), f"Result {at + 1} of {len(found.cases)}")
        known = each
        if known.examination is not None:
            # Features are in no session: distances could not be drawn, and clear would read as normal.
            anomaly = replace(known.examination.anomaly, has_student=False)
            known = replace(known, examination=replace(known.examination, anomaly=anomaly))
            outcomes.append(Outcome(known.request, store.keep(known)))
        is_examined = known.examination is not None
        if case is None or (is_examined and (at == session.shown or case.examination is None)):
            case = known
    if case is not None and case.examination is not None:
        try:
            case, problems = with_pixels(case, part(progress, 0.8, 1.0), cancel)
        except D24fadError as error:  # its roles are of use all the same
            told.append(str(error))
        else:
            told += [str(problem) for problem in problems]
            told.insert(0, _OPENED)
    if len(outcomes) > 1:
        told.append(_ONE_OF.format(count=len(outcomes)))
    return _Opened(tuple(outcomes), case, found.marked, tuple(dict.fromkeys(told)))
