"""Scores again as soon as references change: the slice shown at once, the scan soon, exactly in the end."""

from __future__ import annotations

from qtpy.QtCore import QObject, QTimer, Signal

from napari_d24fad.errors import Code
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.viewer.running.jobs import Jobs
from napari_d24fad.viewer.running.workers import stop_timer

DEBOUNCE_MS = 30
"""Changes that follow each other so closely are one, as when a section of references is closed."""

SETTLE_MS = 1500
"""A user who goes on clicking is not kept waiting by an exact measurement nobody will look at."""


class LiveScoring(QObject):
    """Follows the references of an examination; every wish replaces the one before.

    Args:
        session: Has the examination's scans encoded.
        jobs: Runs the work, with its progress and its cancel.
    """

    slice_scored = Signal(object, int, object)
    """The `Request`, the slice along the slice axis of the scan, its map ``(1, rows, columns)`` upright."""
    rescored = Signal(object)
    """The `Examination`, a preview if scans were added or left out: `settled` then follows."""
    settled = Signal(object)
    """The exact `Examination`."""
    abandoned = Signal()
    """Nothing comes of what was asked for, though a slice of it may have been told."""

    def __init__(self, session: DetectionSession, jobs: Jobs) -> None:
        super().__init__()
        self._session, self._jobs = session, jobs
        self._wanted: tuple[Request, int] | None = None
        self._exact: Request | None = None
        self._at_work = False
        self._is_missing = False
        self._debounce = self._timer(DEBOUNCE_MS, self._begin)
        self._settling = self._timer(SETTLE_MS, self._settle)
        jobs.ended.connect(self._on_ended)

    @property
    def is_busy(self) -> bool:
        """Whether something is to come."""
        waits = self._debounce.isActive() or self._settling.isActive()
        return self._at_work or waits or self._wanted is not None or self._exact is not None

    def want(self, request: Request, slice_index: int) -> None:
        """Asks for other references.

        Args:
            request: Differs from the last examination's in its references and shares only.
            slice_index: The slice that is shown, along the slice axis of the scan.
        """
        self._wanted, self._exact = (request, slice_index), None
        self._settling.stop()
        self._debounce.start()

    def discard(self) -> None:
        """Forgets what was asked for; a job that runs is stopped by `Jobs`."""
        self._wanted, self._exact = None, None
        for timer in (self._debounce, self._settling):
            stop_timer(timer)

    def stop(self) -> None:
        """Forgets what was asked for, and stops what is being done for it."""
        self.discard()
        if self._at_work:
            self._jobs.cancel()
        else:
            self._abandon()

    def _begin(self) -> None:
        if self._jobs.is_busy:
            if self._at_work:  # never what the user started otherwise
                self._jobs.cancel()
            return
        if self._wanted is None:
            return
        (request, slice_index), self._wanted = self._wanted, None

        def work(progress: Progress, cancel: CancelToken) -> Examination:
            values = self._session.score_slice(request, slice_index, cancel)
            if values is not None:
                # Emitted in the worker's thread: Qt hands it to the GUI thread.
                self.slice_scored.emit(request, slice_index, values)
            return self._session.rescore(request, progress, cancel)

        self._is_missing = True
        self._at_work = self._jobs.start("Scoring again", work, self._show)

    def _show(self, examination: Examination) -> None:
        self._is_missing = False
        is_exact = all(problem.code is not Code.PREVIEW for problem in examination.anomaly.warnings)
        self._exact = None if is_exact else examination.request
        self.rescored.emit(examination)

    def _on_ended(self) -> None:
        was_at_work, self._at_work = self._at_work, False
        if self._wanted is not None:
            self._debounce.start()
        elif was_at_work and self._is_missing:
            self._abandon()
        elif self._exact is not None:
            self._settling.start()

    def _abandon(self) -> None:
        if self._is_missing:
            self._is_missing = False
            self.abandoned.emit()

    def _settle(self) -> None:
        if self._exact is None or self._jobs.is_busy:  # `_on_ended` waits anew
            return
        request, self._exact = self._exact, None

        def work(progress: Progress, cancel: CancelToken) -> Examination:
            return self._session.run(request, progress, cancel)

        self._at_work = self._jobs.start("Measuring this set exactly", work, self.settled.emit)

    def _timer(self, interval: int, then: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(then)
        return timer
