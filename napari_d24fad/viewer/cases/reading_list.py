"""Joins the queue of a reading list to the gallery, and its results to the cards and keys."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from napari.utils.notifications import show_info
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_d24fad.errors import D24fadError
from napari_d24fad.progress import CancelToken, Progress, duration_text
from napari_d24fad.session.cases.listed import Outcome
from napari_d24fad.session.cases.queue import CaseQueue
from napari_d24fad.session.request import Request
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.cases.shown import ShownCases
from napari_d24fad.viewer.drawing import RegionDrawing
from napari_d24fad.viewer.examining import NOT_DRAWN_ON, Examining
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.gallery.queue_bar import EXAMINE_KEY, QueueBar
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.results.case_bar import NEXT_KEY, PREVIOUS_KEY, CaseBar
from napari_d24fad.viewer.run_times import RunTimes
from napari_d24fad.viewer.running.activity import Activity
from napari_d24fad.viewer.running.run_panel import RunPanel
from napari_d24fad.viewer.running.workers import Worker

_STEP, _WHILE_EXAMINING_MS = "Examining the list", 300
_GOES_ON = "The list is being examined already. Stop all ends that."


class ReadingList(QObject):
    """Examines many scans, one after the other, and shows on each card what came of it.

    Args:
        parent: The widget in whose window the keys act.
        session: Examines.
        gallery: Which scans, and where their outcomes are shown.
        examining: What is asked for.
        drawing: Whether it is known where alone to examine.
        cases: Take the results.
        case_bar: Goes from one to the next.
        run_panel: Tells why nothing can be examined.
        run_times: Tells how long that will take.
    """

    told = Signal(object)
    """The `Outcome` of a case; emitted by the worker of the queue."""
    finished = Signal(str)
    """The queue ended; how it went, in a sentence."""

    def __init__(
        self,
        parent: QWidget,
        session: DetectionSession,
        gallery: Gallery,
        examining: Examining,
        drawing: RegionDrawing,
        cases: ShownCases,
        case_bar: CaseBar,
        run_panel: RunPanel,
        run_times: RunTimes,
    ) -> None:
        super().__init__()
        self._run_times = run_times
        self._session, self._gallery, self._examining = session, gallery, examining
        self._drawing, self._run_panel = drawing, run_panel
        self.cases = cases
        self.bar: QueueBar = gallery.queue_bar
        self._case_bar = case_bar
        self._worker: Worker | None = None
        self._queue: CaseQueue | None = None
        self._outcomes: list[Outcome] = []
        self._activity = Activity(self.stop)
        # Many changes follow each other when a session is opened; the cards follow once.
        self._soon = QTimer(parent)  # so that it ends with what it shows
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._show_outcomes)
        self.told.connect(self._take)
        self._connect(parent)
        self._show_outcomes()

    @property
    def is_busy(self) -> bool:
        """Whether scans are being examined, or a result is read or put away."""
        return self._worker is not None or self.cases.is_busy

    @property
    def chosen(self) -> tuple[Series, ...]:
        """The scans that would be examined: the selected ones, or all that are listed and not marked."""
        free = (Role.NONE, Role.QUERY)
        cards = [each for each in self._gallery.cards if not each.isHidden() and each.role in free]
        usable = [each for each in cards if each.series.refusal is None]
        selected = [each for each in usable if each.is_selected]
        return tuple(each.series for each in selected or usable)

    def examine(self) -> None:
        """Examines them against the marked references, one after the other."""
        if self._worker is not None:
            self._run_panel.show_note(_GOES_ON)
            return
        if self._drawing.is_lost:
            self._run_panel.show_note(NOT_DRAWN_ON)
            return
        requests = [self._examining.request_for(each) for each in self.chosen]
        if not requests:
            return
        queue = self._queue = CaseQueue(self._session, requests, self.cases.store, self.cases.findings_of)
        self._outcomes = []

        def work(progress: Progress, cancel: CancelToken) -> None:
            # A signal emitted in the worker thread reaches its slots in theirs.
            queue.run(self.told.emit, progress, cancel)

        self._worker = Worker(work)
        self._worker.progressed.connect(self._show_progress)
        self._worker.failed.connect(self._show_failure)
        self._worker.ended.connect(self._end)
        self._run_panel.clear_message()
        self.bar.show_running(0.0, _STEP)
        self._activity.open(_STEP)
        self._worker.start()

    def skip(self) -> None:
        """Stops the scan that is examined now; the next one follows."""
        if self._queue is not None:
            self._queue.skip()

    def stop(self) -> None:
        """Examines no more; results that are there stay."""
        if self._worker is not None:
            self._worker.cancel()

    def discard(self) -> None:
        """Stops without a word: the widget is going away."""
        if self._worker is not None:
            self._worker.discard()
            self._worker = None
        self._activity.close()
        self.cases.discard()

    def _connect(self, parent: QWidget) -> None:
        gallery, panel = self._gallery, self._run_panel
        self.bar.examine_requested.connect(self.examine)
        self.bar.skip_requested.connect(self.skip)
        self.bar.stop_requested.connect(self.stop)
        self._case_bar.step_requested.connect(self.cases.step)
        self._shortcuts = [
            QShortcut(QKeySequence(key), parent, act)
            for key, act in (
                (NEXT_KEY, partial(self.cases.step, 1)),
                (PREVIOUS_KEY, partial(self.cases.step, -1)),
                (EXAMINE_KEY, self.examine),
            )
        ]
        gallery.result_requested.connect(self.cases.show)
        for signal in (
            self.cases.changed, gallery.roles_changed, gallery.shares_changed, gallery.examples_changed,
            gallery.listed_changed, panel.ct_window.window_changed, panel.direction.direction_changed,
            self._drawing.changed, self._examining.examined,
        ):  # fmt: skip
            signal.connect(self._show_soon)

    def _take(self, outcome: Outcome) -> None:
        if self._worker is not None:  # what it said may be heard after its end
            self._outcomes.append(outcome)
            if outcome.kept is not None:
                self._run_times.note_queued(outcome.request, outcome.kept.result.seconds)
            self.cases.put(outcome)

    def _show_progress(self, fraction: float, step: str) -> None:
        self.bar.show_running(fraction, step)
        self._activity.tell(fraction, step)

    def _show_failure(self, error: D24fadError) -> None:
        self._run_panel.show_error(str(error))

    def _end(self) -> None:
        self._worker = None
        self._activity.end()
        count = 0 if self._queue is None else len(self._queue)
        self._queue = None
        self._show_outcomes()
        if self._outcomes:
            text = _summary(self._outcomes, count)
            show_info(text)
            self.finished.emit(text)

    def _show_soon(self) -> None:
        """Lets all cards follow: of a queue, which goes on meanwhile, several cases at once."""
        if not self._soon.isActive():
            self._soon.start(0 if self._worker is None else _WHILE_EXAMINING_MS)

    def _show_outcomes(self) -> None:
        """Shows on the cards what came of the scans, and which result is shown."""
        gallery, listed = self._gallery, self.cases.listed
        asked: dict[object, Request] = {}  # the same but for the scan, for all of one kind

        def request_for(series: Series) -> Request:
            kind = series.modality, series.outline.is_volume
            if kind not in asked:
                asked[kind] = self._examining.request_for(series)
            return replace(asked[kind], query=series)

        for card in gallery.cards:
            series = card.series
            outcome, outdated = listed.of(series), False
            if outcome is not None and outcome.has_result:
                outdated = outcome.is_outdated(request_for(series))
            card.outcome.show_outcome(outcome, outdated=outdated)
        gallery.sort_again()
        order = self.cases.order
        at = order.index(self.cases.current) if self.cases.current in order else None
        self._case_bar.show_place(at, len(order))
        if self._worker is None:
            chosen = self.chosen
            selected = bool(chosen) and gallery.card(chosen[0]).is_selected
            seconds = self._run_times.expected_of_all([request_for(each) for each in chosen])
            expected = "" if seconds is None else duration_text(seconds)
            self.bar.show_idle(len(chosen), selected=selected, expected=expected)


def _summary(outcomes: list[Outcome], count: int) -> str:
    """Says how a queue went: how many results, how many of them stand out, how many scans failed."""
    done = [each for each in outcomes if each.error is None]
    flagged = sum(each.is_flagged for each in done)
    failed = len(outcomes) - len(done)
    left = count - len(outcomes)
    words = [f"{len(done)} of {count} scans examined"]
    if done:
        words.append(f"{flagged} higher than all references")
    if failed:
        words.append(f"{failed} could not be examined: their cards say why")
    if left:
        words.append(f"{left} left out")
    return "; ".join(words) + "."
