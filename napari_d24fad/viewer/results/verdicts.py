"""What a reader decided of the regions of a result: which rows are which findings, with undo and redo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from weakref import ref

from qtpy.QtCore import QObject, Signal

from napari_d24fad.findings.finding import Finding, Mask, Verdict
from napari_d24fad.findings.findings import Findings
from napari_d24fad.findings.history import History
from napari_d24fad.findings.measurements import Measurement
from napari_d24fad.session.request import Examination
from napari_d24fad.studies.series import Series


@dataclass(frozen=True, slots=True)
class _Read:
    """The findings of a scan, and the examination that they were measured in, which this does not keep."""

    examination: ref[Examination]
    history: History[Findings]


class Verdicts(QObject):
    """The findings of each scan that was examined, and the rows that the table shows of one.

    A row is what the map shows at the level that is chosen. At the result's own level each is a finding; at
    another, one becomes a finding when it is judged. Undo reaches back to the last scoring.
    """

    changed = Signal()
    """A verdict, a note or the rows are others now."""

    def __init__(self) -> None:
        super().__init__()
        self._read: dict[Series, _Read] = {}
        self._series: Series | None = None
        self._rows: tuple[Finding, ...] = ()
        self._plan = ""

    @property
    def findings(self) -> Findings:
        """Those of the scan that is shown."""
        return Findings() if self._history is None else self._history.now

    @property
    def may_undo(self) -> bool:
        """Whether there is something to take back."""
        return self._history is not None and bool(self._history.past)

    @property
    def may_redo(self) -> bool:
        """Whether something was taken back."""
        return self._history is not None and bool(self._history.future)

    def known(self, examination: Examination) -> tuple[Findings | None, bool]:
        """Returns the findings of the scan of an examination, and whether they were measured in it."""
        read = self._read.get(examination.request.query)
        if read is None:
            return None, False
        return read.history.now, read.examination() is examination

    def wait(self, examination: Examination) -> None:
        """Nothing can be judged until the rows are there."""
        self._series, self._rows = examination.request.query, ()
        self.changed.emit()

    def decided(self, series: Series) -> Findings | None:
        """Returns the findings of a scan if a reader decided something of them; for any thread."""
        read = self._read.get(series)
        return read.history.now if read and read.history.now.is_touched else None

    def take(self, examination: Examination, findings: Findings) -> None:
        """Takes the findings of a scan as they are measured in an examination.

        The same ones as before, such as of a case that is shown again, can still be undone.
        """
        known, is_measured = self.known(examination)
        if is_measured:
            return
        history = History(findings)
        if known is findings:
            history = self._read[examination.request.query].history
        # Of other scans only what a reader decided is kept: the rest can be measured again.
        decided = {series: read for series, read in self._read.items() if read.history.now.is_touched}
        self._read = {**decided, examination.request.query: _Read(ref(examination), history)}

    def show(self, rows: Sequence[Finding], plan: str) -> None:
        """Takes what the map shows, one row each, unnumbered; see `MapBeside.plan`."""
        self._rows, self._plan = tuple(rows), plan
        self.changed.emit()

    @property
    def listed(self) -> tuple[tuple[Finding, Finding | None], ...]:
        """The rows, each with the finding that it is, if it is one.

        Last come findings that were judged and that the map does not show, so that none is lost from sight.
        """
        rows = [(row, next(iter(self.findings.alike(row)), None)) for row in self._rows]
        found = {each.number for _, each in rows if each is not None}
        own = (each for each in self.findings if each.beside == self._plan and each.is_judged)
        return (*rows, *((each, each) for each in own if each.number not in found))

    @property
    def hidden(self) -> tuple[Mask, ...]:
        """What no picture colours: rejected findings, and rows that are nothing but such."""
        rejected = [each.mask for each in self.findings if not each.is_shown and not each.by_hand]
        if rejected:
            for row in self._rows:
                alike = self.findings.alike(row)
                if alike and not any(each.is_shown for each in alike):
                    rejected.append(row.mask)
        return tuple(mask for mask in rejected if mask is not None)

    def judge(self, row: int, verdict: Verdict) -> None:
        """Accepts or rejects a row of `listed`, or takes that back."""
        findings, number = self._finding(row)
        if number:
            self._do(findings.judge(number, verdict))

    def write(self, row: int, note: str) -> None:
        """Writes a note beside a row of `listed`."""
        findings, number = self._finding(row)
        if number:
            self._do(findings.write(number, note))

    def name(self, row: int, label: str) -> None:
        """Calls a row of `listed` something; an empty label is none."""
        findings, number = self._finding(row)
        if number:
            self._do(findings.name(number, label))

    def remove(self, row: int) -> None:
        """Removes a row of `listed` that a reader marked by hand; what the map shows can be rejected only."""
        findings, number = self._finding(row)
        if number and findings.finding(number).by_hand:
            self._do(findings.remove(number))

    def findings_of(self, series: Series) -> Findings | None:
        """Returns the findings of a scan; None if it was not examined."""
        read = self._read.get(series)
        return None if read is None else read.history.now

    def measure(self, series: Series, measurements: Iterable[Measurement]) -> bool:
        """Replaces what was measured in a scan; returns whether it was examined, and so has findings."""
        return self._change(series, lambda findings: findings.with_measurements(measurements))

    def add_by_hand(self, series: Series, finding: Finding) -> bool:
        """Adds a finding that a reader marked, which counts as accepted."""
        marked = replace(finding, verdict=Verdict.ACCEPTED)
        return self._change(series, lambda findings: findings.add(marked))

    def _change(self, series: Series, change: Callable[[Findings], Findings]) -> bool:
        read = self._read.get(series)
        if read is None:
            return False
        history = read.history.do(change(read.history.now))
        if history is not read.history:
            self._read[series] = replace(read, history=history)
            self.changed.emit()
        return True

    def undo(self) -> None:
        """Takes the last change back."""
        if self._history is not None:
            self._put(self._history.undo())

    def redo(self) -> None:
        """Does again what was taken back last."""
        if self._history is not None:
            self._put(self._history.redo())

    @property
    def _history(self) -> History[Findings] | None:
        read = None if self._series is None else self._read.get(self._series)
        return None if read is None else read.history

    def _finding(self, row: int) -> tuple[Findings, int]:
        """Returns the findings with that of a row among them, and its number; 0 if there is no such row."""
        listed, findings = self.listed, self.findings
        if self._history is None or not 0 <= row < len(listed):
            return findings, 0
        shown, known = listed[row]
        if known is not None:
            return findings, known.number
        return findings.add(shown), findings.next_number

    def _do(self, findings: Findings) -> None:
        if self._history is not None:
            self._put(self._history.do(findings))

    def _put(self, history: History[Findings]) -> None:
        if self._series is not None and history is not self._history:
            self._read[self._series] = replace(self._read[self._series], history=history)
            self.changed.emit()
