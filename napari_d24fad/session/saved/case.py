"""A case: a scan, what it is examined with, what came of it, and what a reader made of that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from napari_d24fad.export.colours import COLORMAP
from napari_d24fad.findings.findings import Findings
from napari_d24fad.findings.making import findings_of, renewed
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.studies.series import Series


@dataclass(frozen=True, slots=True)
class View:
    """How a scan was looked at.

    Attributes:
        slice_index: The slice, along the slice axis of the scan; None for none in particular.
        level: Map value that regions begin at; None for the result's own.
        window: Values that are shown black and white; None for what is usual.
        colours: Of the map, one of `COLOURS`.
    """

    slice_index: int | None = None
    level: float | None = None
    window: tuple[float, float] | None = None
    colours: str = COLORMAP


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A scan of a session.

    Attributes:
        request: What is, or was, asked for.
        examination: What came of it; None if it was not run.
        findings: What a reader made of it.
        view: How it was looked at.
    """

    request: Request
    examination: Examination | None = None
    findings: Findings = field(default_factory=Findings)
    view: View = field(default_factory=View)

    @classmethod
    def of(cls, examination: Examination) -> Case:
        """Makes a case of an examination: each region becomes a finding."""
        found = findings_of(examination.scan, examination.anomaly)
        return cls(examination.request, examination, Findings.of(found))

    def read_by(self, findings: Findings | None, view: View, *, is_measured: bool) -> Case:
        """Returns the same case with what a reader made of it.

        Args:
            findings: Of its scan; None if there are none yet, and they are measured now.
            view: How it was looked at.
            is_measured: Whether they were measured in this examination; else they are measured anew.
        """
        if self.examination is None:
            return self
        scan, anomaly = self.examination.scan, self.examination.anomaly
        if findings is None:
            findings = Findings.of(findings_of(scan, anomaly))
        elif not is_measured:
            findings = renewed(findings, scan, anomaly)
        return replace(self, findings=findings, view=view)

    def without_pixels(self) -> Case:
        """Returns the same case without the pixels of its scan, which take most of the memory."""
        if self.examination is None:
            return self
        scan = self.examination.scan.without_pixels()
        return replace(self, examination=replace(self.examination, scan=scan))


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """Scans of a session that are marked, whether or not a case uses them.

    Attributes:
        normal: As normal.
        abnormal: As abnormal.
    """

    normal: tuple[Series, ...] = ()
    abnormal: tuple[Series, ...] = ()
