"""The cases of a reading list: for each scan its result, or why it has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from napari_d24fad.errors import D24fadError
from napari_d24fad.session.cases.store import KeptCase
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.saved.case import Case
from napari_d24fad.studies.series import Series


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of examining a scan.

    Attributes:
        request: What was asked for.
        kept: The result, in files; None if there is none, or it is in memory.
        case: The result in memory, of a case that is shown or is being put away.
        error: Why there is no result.
    """

    request: Request
    kept: KeptCase | None = field(default=None, repr=False)
    case: Case | None = field(default=None, repr=False)
    error: D24fadError | None = None

    @property
    def has_result(self) -> bool:
        """Whether the scan was examined."""
        return self.kept is not None or self.case is not None

    @property
    def examination(self) -> Examination | None:
        """What is in memory."""
        return None if self.case is None else self.case.examination

    @property
    def score(self) -> float:
        """Of the scan; NaN without a result."""
        return self._numbers[0]

    @property
    def p_value(self) -> float:
        """Of the scan; NaN without a result. Never below `p_floor`."""
        return max(self._numbers[1], self._numbers[2])

    @property
    def p_floor(self) -> float:
        """The lowest p-value that the references can give."""
        return self._numbers[2]

    @property
    def is_flagged(self) -> bool:
        """Whether the scan scores higher than all its references: it has the lowest p-value possible."""
        return self.p_value <= self.p_floor * (1 + 1e-6)

    def is_outdated(self, now: Request) -> bool:
        """Whether the result is of another choice than a request for the same scan."""
        return self.request != now

    def read(self) -> Case:
        """Returns the case; from files its scan has no pixels.

        Raises:
            D24fadError: Its files cannot be read any more.
        """
        if self.case is not None:
            return self.case
        assert self.kept is not None
        return self.kept.read()

    @property
    def _numbers(self) -> tuple[float, float, float]:
        if self.examination is not None:
            anomaly = self.examination.anomaly
            return anomaly.score, anomaly.p_value, anomaly.p_floor
        if self.kept is not None:
            return self.kept.result.score, self.kept.result.p_value, self.kept.result.p_floor
        return float("nan"), float("nan"), float("nan")


class CaseList:
    """Outcomes by scan, in the order they came. Not thread-safe: give `results` to another thread."""

    def __init__(self) -> None:
        self._outcomes: dict[Series, Outcome] = {}

    def __iter__(self) -> Iterator[Outcome]:
        return iter(tuple(self._outcomes.values()))

    def __len__(self) -> int:
        return len(self._outcomes)

    def of(self, series: Series) -> Outcome | None:
        """Returns the outcome of a scan; None if it was not examined."""
        return self._outcomes.get(series)

    def put(self, outcome: Outcome) -> None:
        """Takes an outcome, in place of an earlier one of the same scan.

        An error takes no result away: the earlier one stays, and the error is told beside it.
        """
        before = self._outcomes.get(outcome.request.query)
        if outcome.error is not None and before is not None and before.has_result:
            outcome = replace(before, error=outcome.error)
        self._outcomes[outcome.request.query] = outcome

    def swap(self, before: Outcome, after: Outcome) -> bool:
        """Puts an outcome in the place of another, if that is still there; returns whether it was."""
        series = before.request.query
        if self._outcomes.get(series) is not before:
            return False
        self._outcomes[series] = after
        return True

    def clear(self) -> None:
        """Forgets all."""
        self._outcomes.clear()

    @property
    def results(self) -> tuple[Outcome, ...]:
        """The outcomes that have a result."""
        return tuple(each for each in self if each.has_result)

    def step(self, order: Sequence[Series], series: Series | None, by: int) -> Series | None:
        """Returns the next scan that has a result.

        Args:
            order: The scans in the order they are listed.
            series: The one to go from; from one that is not listed the first or the last is next.
            by: 1 for the next, -1 for the one before.

        Returns:
            The scan; None at the end of the list.
        """
        known = [each for each in order if (found := self.of(each)) is not None and found.has_result]
        if series not in known:
            return known[0 if by > 0 else -1] if known else None
        at = known.index(series) + by
        return known[at] if 0 <= at < len(known) else None
