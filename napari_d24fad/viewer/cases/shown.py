"""Goes from result to result: one case has its layers in the viewer, the others lie in files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from qtpy.QtCore import QObject, QSignalBlocker, Signal

from napari_d24fad.errors import D24fadError
from napari_d24fad.findings.findings import Findings
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.cases.listed import CaseList, Outcome
from napari_d24fad.session.cases.store import CaseStore
from napari_d24fad.session.request import Examination
from napari_d24fad.session.saved.case import Case, View
from napari_d24fad.studies.scan import Problem
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.examining import Examining
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.results.view import ResultView
from napari_d24fad.viewer.running.run_panel import RunPanel
from napari_d24fad.viewer.running.workers import Worker

_SLOW_VOXELS = 2**24
"""Scans with more voxels take longer to read than somebody waits who goes from case to case."""

_Read = tuple[Case, tuple[Problem, ...]]


class ShownCases(QObject):
    """The results of all scans that were examined, and the one that is shown.

    Args:
        gallery: The order of the scans, and which is the one to examine.
        examining: Shows results.
        view: What a reader decided of the one that is shown.
        scans: The slice that is shown.
        run_panel: Tells why a result cannot be shown.
    """

    changed = Signal()
    """A scan has another outcome, or another one is shown."""

    def __init__(
        self,
        gallery: Gallery,
        examining: Examining,
        view: ResultView,
        scans: ScanLayers,
        run_panel: RunPanel,
    ) -> None:
        super().__init__()
        self._gallery, self._examining, self._view, self._run_panel = gallery, examining, view, run_panel
        self._scans = scans
        self.store = CaseStore()
        self.listed = CaseList()
        self._current: Series | None = None
        self._slice_index: int | None = None
        self._findings: dict[Series, Findings] = {}  # as they were put away, with their undo
        self._unsaved: set[Series] = set()
        self._reading: Worker | None = None
        self._writing: list[Worker] = []
        examining.examined.connect(self._take)
        examining.renewed.connect(self._take)
        scans.slice_changed.connect(self._note_slice)

    @property
    def is_busy(self) -> bool:
        """Whether a result is being read or put away."""
        reads = self._reading is not None and not self._reading.is_over
        return reads or any(not each.is_over for each in self._writing)

    @property
    def current(self) -> Series | None:
        """The scan whose result is shown, or was before another scan was looked at."""
        return self._current

    @property
    def order(self) -> tuple[Series, ...]:
        """The scans that have a result, in the order they are listed; others are left out of going on."""
        shown = (self.listed.of(each) for each in self._gallery.series)
        return tuple(each.request.query for each in shown if each is not None and each.has_result)

    @property
    def unsaved(self) -> frozenset[Series]:
        """Scans with results or verdicts that no session holds, of those that are not shown."""
        return frozenset(self._unsaved)

    def note_saved(self, series: frozenset[Series]) -> None:
        """What these scans had when they were asked for is in a session."""
        self._unsaved -= series

    def note_unsaved(self) -> None:
        """All results are of a copy: no session holds them."""
        self._unsaved |= set(self.order)

    def put(self, outcome: Outcome) -> None:
        """Takes what a queue found; shows it if the scan is the one whose result is shown."""
        self.listed.put(outcome)
        series = outcome.request.query
        if outcome.has_result:
            self._findings.pop(series, None)
            self._unsaved.add(series)
            if self._current is None and (self._reading is None or self._reading.is_over):
                self.show(series)
            elif self._current is series:
                self._current = None  # what is shown is of before: nothing of it is put away
                self.show(series)
        self.changed.emit()

    def clear(self) -> None:
        """Forgets all results, for those of a session."""
        self.discard()
        self.listed.clear()
        self._findings.clear()
        self._unsaved.clear()
        self._current = None
        self.changed.emit()

    def put_saved(self, outcomes: Iterable[Outcome]) -> None:
        """Takes results of a session, with the window that each was looked at in."""
        for outcome in outcomes:
            case = outcome.case or outcome.kept
            if case is not None and case.view.window is not None:
                self._scans.windows[outcome.request.query] = case.view.window
            self.listed.put(outcome)
        self.changed.emit()

    def step(self, by: int) -> None:
        """Shows the next result in the order of the list, or the one before (-1)."""
        series = self.listed.step(self.order, self._current, by)
        if series is not None:
            self._gallery.result_requested.emit(series)

    def show(self, series: Series) -> None:
        """Shows the result of a scan, without a new run."""
        outcome = self.listed.of(series)
        if outcome is None or not outcome.has_result:
            return
        self._stop_reading()
        self._gallery.point_out(series)
        if series is self._current:
            if self._view.is_aside:
                self._view.come_back()
            return
        is_slow = series.outline.voxels.size > _SLOW_VOXELS and series.outline.is_volume

        def work(progress: Progress, cancel: CancelToken) -> _Read:
            # Imports the readers of all formats: not before something is opened.
            from napari_d24fad.session.saved.reopening import with_pixels

            case = outcome.read()
            examination = case.examination
            if is_slow and examination is not None and not examination.scan.has_pixels:
                middle = series.with_middle_slice(cancel)
                worker.hand(replace(case, examination=replace(examination, scan=middle)))
            return with_pixels(case, progress, cancel)

        worker = self._reading = Worker(work)
        worker.handed.connect(partial(self._show, outcome))
        worker.returned.connect(partial(self._show_read, outcome))
        worker.failed.connect(self._tell)
        worker.start()

    def findings_of(self, series: Series) -> Findings | None:
        """Returns what a reader decided of a scan before; None if nothing. For any thread."""
        decided = self._view.verdicts.decided(series)
        if decided is not None:
            return decided
        outcome = self.listed.of(series)
        kept = None if outcome is None else outcome.kept
        return kept.read_findings() if kept is not None and kept.is_judged else None

    def view_of(self, series: Series) -> View:
        """Returns how a scan is looked at: the slice of the one that is shown, and the window."""
        at = self._slice_index if series is self._current else None
        return View(at, window=self._scans.windows.get(series))

    def all_cases(self) -> tuple[tuple[Callable[[], Case], ...], int]:
        """Returns what reads each result with what was made of it, and the place of the one that is shown.

        For a worker. Each may raise a `D24fadError`: its files cannot be read any more.
        """
        found: list[Callable[[], Case]] = []
        listed, shown = set(self._gallery.series), 0
        for outcome in self.listed.results:
            series, case, examination = outcome.request.query, outcome.case, outcome.examination
            if series is self._current and case is not None and examination is not None:
                findings, is_measured = self._view.verdicts.known(examination)
                view, shown = self.view_of(series), len(found)
                found.append(partial(case.read_by, findings, view, is_measured=is_measured))
            elif series in listed:  # else its study was closed
                found.append(outcome.read)
        return tuple(found), shown

    def discard(self) -> None:
        """Stops reading: nobody looks any more. What is put away is written all the same."""
        self._stop_reading()

    def _take(self, examination: Examination) -> None:
        """Follows what is shown: a run's result, or another scoring of it."""
        series = examination.request.query
        if series is not self._current:
            self._put_away()
            self._current = series
        known = self.listed.of(series)
        if known is None or known.examination is not examination:
            self._findings.pop(series, None)
            self.listed.put(Outcome(examination.request, case=Case(examination.request, examination)))
        self._note_slice()
        self.changed.emit()

    def _note_slice(self) -> None:
        if self._current is not None:
            at = self._view.slice_of(self._current)
            self._slice_index = self._slice_index if at is None else at

    def _put_away(self) -> None:
        """Writes the result that is shown to files, and what was decided of it, to make room for another."""
        outcome = None if self._current is None else self.listed.of(self._current)
        if outcome is None or outcome.case is None or outcome.examination is None:
            return
        case, kept, series = outcome.case, outcome.kept, outcome.request.query
        findings, is_measured = self._view.verdicts.known(outcome.examination)
        view = self.view_of(series)
        self._findings.pop(series, None)
        if findings is not None and self._view.verdicts.decided(series) is findings:
            self._findings[series] = findings
            if findings is not case.findings:
                self._unsaved.add(series)
        put_away = replace(case, findings=case.findings if findings is None else findings, view=view)
        waiting = replace(outcome, case=put_away)
        self.listed.swap(outcome, waiting)

        def work(progress: Progress, cancel: CancelToken) -> Outcome:
            if kept is None:
                read = case.read_by(findings, view, is_measured=is_measured)
                return Outcome(outcome.request, self.store.keep(read), error=outcome.error)
            if findings is None or findings is case.findings:
                return Outcome(outcome.request, replace(kept, view=view), error=outcome.error)
            return Outcome(outcome.request, kept.read_by(findings, view), error=outcome.error)

        worker = Worker(work)
        worker.returned.connect(partial(self.listed.swap, waiting))
        worker.failed.connect(self._tell)  # the case stays in memory
        self._writing = [each for each in self._writing if not each.is_over] + [worker]
        worker.start()

    def _show_read(self, outcome: Outcome, read: _Read) -> None:
        case, problems = read
        now = self.listed.of(outcome.request.query)
        at = case.view.slice_index
        if now is not None and now.examination is not None and self._current is outcome.request.query:
            at = self._slice_index  # one slice of it is shown already
        if case.examination is not None and at is not None:
            case = replace(case, view=replace(case.view, slice_index=at))
        self._show(outcome, case)
        if problems:
            self._run_panel.show_note("\n".join(map(str, problems)))

    def _show(self, outcome: Outcome, case: Case) -> None:
        series, gallery, examination = outcome.request.query, self._gallery, case.examination
        if examination is None or series not in gallery.series:
            return
        if series is not self._current:
            self._put_away()
        self._current, self._slice_index = series, case.view.slice_index
        findings = self._findings.get(series, case.findings)
        if self._view.verdicts.known(examination)[0] is not findings:
            findings = case.findings
        self.listed.put(Outcome(outcome.request, outcome.kept, replace(case, findings=findings)))
        with QSignalBlocker(gallery):  # the role alone would start a scoring
            if gallery.card(series).role is Role.NONE and series.refusal is None:
                gallery.set_role(series, Role.QUERY)
        self._examining.offer_choices()
        self._examining.take(examination, findings, case.view.slice_index)
        gallery.point_out(series)
        gallery.roles_changed.emit()

    def _tell(self, error: D24fadError) -> None:
        self._run_panel.show_error(str(error))

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.discard()
            self._reading = None
