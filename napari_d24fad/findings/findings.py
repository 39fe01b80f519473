"""The findings of one scan, as one immutable state: every change makes another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.findings.finding import Finding, Verdict
from napari_d24fad.findings.measurements import Measurement

LABELS = ("lesion", "normal variant", "artefact", "after treatment")
"""What findings can be called at first; a user edits the list."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in a scan and what a reader made of it.

    Attributes:
        listed: In the order of their numbers.
        measurements: Of the scan, of a finding or of none.
        labels: What findings can be called.
        next_number: Of the next finding: a number that is gone is not used again.
    """

    listed: tuple[Finding, ...] = ()
    measurements: tuple[Measurement, ...] = field(default=(), repr=False)
    labels: tuple[str, ...] = LABELS
    next_number: int = 1

    @classmethod
    def of(cls, found: Iterable[Finding]) -> Findings:
        """Makes a state of what was found, numbered from 1."""
        return cls().add(*found)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.listed)

    def __len__(self) -> int:
        return len(self.listed)

    @property
    def shown(self) -> tuple[Finding, ...]:
        """Those that pictures and reports show: all but the rejected."""
        return tuple(each for each in self.listed if each.is_shown)

    @property
    def reported(self) -> tuple[Finding, ...]:
        """What key slices and DICOM objects show: what was accepted, or without that what nobody rejected."""
        shown = self.shown
        return tuple(each for each in shown if each.verdict is Verdict.ACCEPTED) or shown

    def finding(self, number: int) -> Finding:
        """Returns the finding of a number.

        Raises:
            ArgumentError: ``BAD_ARGUMENT`` if there is none; so for all below.
        """
        found = next((each for each in self.listed if each.number == number), None)
        if found is None:
            raise ArgumentError(Code.BAD_ARGUMENT, f"There is no finding {number}.")
        return found

    def add(self, *found: Finding) -> Findings:
        """Adds findings; each gets the next number."""
        numbers = range(self.next_number, self.next_number + len(found))
        numbered = (replace(each, number=number) for each, number in zip(found, numbers, strict=True))
        return replace(self, listed=(*self.listed, *numbered), next_number=numbers.stop)

    def judge(self, number: int, verdict: Verdict) -> Findings:
        """Accepts or rejects a finding, or takes that back."""
        return self._changed(number, lambda each: replace(each, verdict=verdict))

    def write(self, number: int, note: str) -> Findings:
        """Writes a note beside a finding, in place of the one before."""
        return self._changed(number, lambda each: replace(each, note=note.strip()))

    def name(self, number: int, label: str) -> Findings:
        """Labels a finding; a new label joins the list, an empty one removes the label."""
        called = label.strip()
        changed = self._changed(number, lambda each: replace(each, label=called))
        known = called in self.labels or not called
        return changed if known else replace(changed, labels=(*self.labels, called))

    def with_labels(self, labels: Iterable[str]) -> Findings:
        """Edits the list of labels; a finding keeps what it is called."""
        listed = dict.fromkeys(label.strip() for label in labels)
        return replace(self, labels=tuple(label for label in listed if label))

    def remove(self, number: int) -> Findings:
        """Removes a finding that was added by hand, with what was measured of it.

        Raises:
            ArgumentError: Also of what the map shows: that is rejected, so that the session tells of it.
        """
        if not self.finding(number).by_hand:
            raise ArgumentError(Code.BAD_ARGUMENT, "What the map shows can be rejected, not removed.")
        return replace(
            self,
            listed=tuple(each for each in self.listed if each.number != number),
            measurements=tuple(each for each in self.measurements if each.finding != number),
        )

    def measure(self, measurement: Measurement) -> Findings:
        """Adds a measurement."""
        if measurement.finding:
            self.finding(measurement.finding)
        return replace(self, measurements=(*self.measurements, measurement))

    def unmeasure(self, index: int) -> Findings:
        """Removes a measurement, by its place in `measurements`."""
        if not 0 <= index < len(self.measurements):
            raise ArgumentError(Code.BAD_ARGUMENT, "There is no such measurement.")
        return replace(self, measurements=self.measurements[:index] + self.measurements[index + 1 :])

    def with_measurements(self, measurements: Iterable[Measurement]) -> Findings:
        """Replaces what was measured; the same again changes nothing."""
        after = tuple(measurements)
        return self if after == self.measurements else replace(self, measurements=after)

    @property
    def is_touched(self) -> bool:
        """Whether a reader has judged, marked or measured anything."""
        return bool(self.measurements) or any(each.is_judged for each in self.listed)

    def renewed(self, found: Iterable[Finding]) -> Findings:
        """Follows another map of the same scan, such as that of other references.

        A finding stays the same one where the voxels of one hold the highest place of the other: it keeps its
        number and what a reader made of it, and is measured as the map shows it now. What nobody judged goes
        with its region; what was judged, or marked by hand, stays as it is where the map shows nothing.

        Args:
            found: What the map shows now, unnumbered.
        """
        left = sorted(self.listed, key=lambda each: not each.is_judged)
        same: list[Finding] = []
        new: list[Finding] = []
        for each in found:
            before = next((other for other in left if _same_place(each, other)), None)
            if before is None:
                new.append(each)
            elif not before.by_hand:
                left.remove(before)
                same.append(_as_before(each, before))
        kept = [each for each in left if each.is_judged]
        listed = tuple(sorted([*same, *kept], key=lambda each: each.number))
        numbers = {each.number for each in listed}
        measured = tuple(each for each in self.measurements if not each.finding or each.finding in numbers)
        return replace(self, listed=listed, measurements=measured).add(*new)

    def alike(self, finding: Finding) -> tuple[Finding, ...]:
        """Returns the findings at the place of another; first that which holds its highest value."""
        found = [each for each in self.listed if _same_place(each, finding)]
        return tuple(sorted(found, key=lambda each: not _holds(each, finding)))

    def _changed(self, number: int, change: Callable[[Finding], Finding]) -> Findings:
        before = self.finding(number)
        after = change(before)
        if after == before:
            return self
        return replace(self, listed=tuple(after if each is before else each for each in self.listed))


def _as_before(now: Finding, before: Finding) -> Finding:
    return replace(now, number=before.number, verdict=before.verdict, label=before.label, note=before.note)


def _same_place(one: Finding, other: Finding) -> bool:
    if one.beside != other.beside:
        return False
    return _holds(one, other) or _holds(other, one) or one.region.peak_index == other.region.peak_index


def _holds(one: Finding, other: Finding) -> bool:
    """Whether the voxels of one hold the highest place of the other."""
    if one.mask is None:
        return False
    shape = one.mask.voxels.shape
    at = [place - corner for place, corner in zip(other.region.peak_index, one.mask.corner, strict=True)]
    inside = all(0 <= index < size for index, size in zip(at, shape, strict=True))
    return inside and bool(one.mask.voxels[at[0], at[1], at[2]])
