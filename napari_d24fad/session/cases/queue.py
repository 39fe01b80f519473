"""Examines scans one after the other; one that fails does not stop the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from napari_d24fad.errors import Cancelled, Code, D24fadError
from napari_d24fad.findings.findings import Findings
from napari_d24fad.findings.making import renewed
from napari_d24fad.progress import CancelToken, Progress, duration_text
from napari_d24fad.session.cases.listed import Outcome
from napari_d24fad.session.cases.store import CaseStore
from napari_d24fad.session.request import Request
from napari_d24fad.session.saved.case import Case
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.series import Series
from napari_d24fad.trace import safe_trace

logger = logging.getLogger(__name__)

_PREPARING = 0.02
"""Share of the bar for references, which are often known already."""


class _OneOfAll(CancelToken):
    """Stops one case, and with all of them."""

    def __init__(self, whole: CancelToken) -> None:
        super().__init__()
        self._whole = whole

    @property
    def cancelled(self) -> bool:
        return super().cancelled or self._whole.cancelled

    def check(self) -> None:
        self._whole.check()
        super().check()


class CaseQueue:
    """Requests that are examined one after the other, in a worker thread.

    Args:
        session: Examines; references are encoded once.
        requests: What to examine, all with the same references.
        store: Keeps the results: one is in memory at a time.
        before: Returns what a reader made of an earlier result of a scan, which the new one goes on with;
            called in the worker's thread.
    """

    def __init__(
        self,
        session: DetectionSession,
        requests: Sequence[Request],
        store: CaseStore,
        before: Callable[[Series], Findings | None] = lambda _: None,
    ) -> None:
        self._session, self._requests, self._store, self._before = session, tuple(requests), store, before
        self._one: _OneOfAll | None = None
        self._seconds: list[float] = []

    def __len__(self) -> int:
        return len(self._requests)

    def skip(self) -> None:
        """Stops the case that is examined now; the next one follows. For any thread."""
        one = self._one
        if one is not None:
            one.cancel()

    def run(self, tell: Callable[[Outcome], None], progress: Progress, cancel: CancelToken) -> None:
        """Examines all.

        Args:
            tell: Given what came of each case; of one that was skipped nothing is told.
            progress: Told how many are done, and about how long the others take.
            cancel: Stops all; what was told stays.

        Raises:
            D24fadError: The references cannot be used, or the model cannot be loaded: no case was examined.
            Cancelled: If a stop was asked for.
        """
        count = len(self)
        if not count:
            return
        self._session.prepare(
            self._requests[0], lambda done, step: progress(_PREPARING * done, f"References: {step}"), cancel
        )
        for at, request in enumerate(self._requests):
            cancel.check()
            started = time.perf_counter()

            def report(done: float, step: str, at: int = at) -> None:
                share = _PREPARING + (1 - _PREPARING) * (at + done) / count
                progress(share, f"{at + 1} of {count}{self._left(count - at - done)}: {step}")

            one = self._one = _OneOfAll(cancel)
            try:
                outcome = self._examine(request, report, one)
            except Cancelled:
                cancel.check()
                continue
            finally:
                self._one = None
            self._seconds.append(time.perf_counter() - started)
            tell(outcome)

    def _examine(self, request: Request, progress: Progress, cancel: CancelToken) -> Outcome:
        try:
            case = Case.of(self._session.run(request, progress, cancel))
            known, examination = self._before(request.query), case.examination
            if known is not None and examination is not None:
                followed = renewed(known, examination.scan, examination.anomaly)
                case = Case(request, examination, followed)
            return Outcome(request, self._store.keep(case))
        except Cancelled:
            raise
        except D24fadError as error:
            return Outcome(request, error=_bare(error))
        except Exception as error:
            logger.debug("unforeseen error in a case of a queue\n%s", safe_trace(error))
            return Outcome(request, error=D24fadError(Code.UNEXPECTED, f"({type(error).__name__})"))

    def _left(self, cases: float) -> str:
        """Says about how long so many cases take, by those that are done; nothing before the first is."""
        if not self._seconds:
            return ""
        recent = self._seconds[-10:]
        return f", {duration_text(cases * sum(recent) / len(recent))} left"


def _bare(error: D24fadError) -> D24fadError:
    """Returns the error without where it was raised, which would keep the pixels that were at hand there."""
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return error
