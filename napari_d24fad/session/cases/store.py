"""Keeps the results of cases in files that go with the program: many maps would fill the memory."""

from __future__ import annotations

import itertools
import weakref
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_d24fad.findings.finding import Verdict
from napari_d24fad.findings.findings import Findings
from napari_d24fad.session.arrays import Array
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.saved.case import Case, View
from napari_d24fad.session.saved.document import Document, SavedFindings, SavedResult
from napari_d24fad.session.saved.file import SUFFIX, read_arrays, session_writer
from napari_d24fad.session.saved.results import anomaly_of, findings_from, save_findings, save_result
from napari_d24fad.studies.files.scratch import ScratchFolder
from napari_d24fad.studies.scan import Scan
from napari_d24fad.version import __version__

_NAME = "case"


class _Arrays:
    """Arrays in a file, which goes when nobody needs it any more."""

    def __init__(self, folder: ScratchFolder, path: Path, arrays: dict[str, Array]) -> None:
        self._folder = folder  # else it would be deleted too early
        self.path = path
        if arrays:
            with session_writer(path, private=True) as writer:
                writer.add(arrays)
                writer.finish(Document(__version__), seal=False)
            weakref.finalize(self, _remove, path)

    def read(self) -> dict[str, Array]:
        """Reads them into memory."""
        return dict(read_arrays(self.path)) if self.path.exists() else {}


@dataclass(frozen=True, slots=True, eq=False)
class KeptCase:
    """A case whose map and findings lie in files; in memory it takes some kilobytes.

    Attributes:
        request: What was asked for.
        scan: The scan that was examined, without its pixels.
        result: The result without its arrays.
        findings: What a reader made of it, without masks.
        view: How it was looked at.
    """

    request: Request
    scan: Scan = field(repr=False)
    result: SavedResult
    findings: SavedFindings
    view: View
    has_student: bool
    _store: CaseStore = field(repr=False)
    _map: _Arrays = field(repr=False)
    _masks: _Arrays = field(repr=False)

    @property
    def is_judged(self) -> bool:
        """Whether a reader decided something of it."""
        return any(
            each.by_hand or each.label or each.note or each.verdict is not Verdict.UNDECIDED
            for each in self.findings.listed
        )

    def read(self) -> Case:
        """Reads the case; its scan has no pixels.

        Raises:
            D24fadError: Its files cannot be read any more.
        """
        anomaly = anomaly_of(self.result, self.scan, self._map.read())
        anomaly = replace(anomaly, has_student=self.has_student)
        examination = Examination(self.request, self.scan, anomaly, self.result.limits)
        return Case(self.request, examination, self.read_findings(), self.view)

    def read_findings(self) -> Findings:
        """Reads the findings alone; see `read`."""
        return findings_from(self.findings, self.scan, self._masks.read())

    def read_by(self, findings: Findings, view: View) -> KeptCase:
        """Returns the same result with what a reader made of it since.

        Raises:
            ExportError: ``CANNOT_WRITE`` if the system refuses.
        """
        saved, masks = self._store.keep_findings(findings)
        return replace(self, findings=saved, view=view, _masks=masks)


class CaseStore:
    """Files of results, in a folder that only this user may look into and that goes with the program."""

    def __init__(self) -> None:
        self._folder: ScratchFolder | None = None
        self._numbers = itertools.count()

    def keep(self, case: Case) -> KeptCase:
        """Writes the result of a case that was examined, with its findings.

        Raises:
            ExportError: ``CANNOT_WRITE`` if the system refuses.
        """
        assert case.examination is not None
        arrays: dict[str, Array] = {}
        result = save_result(case.examination, _NAME, arrays)
        findings, masks = self.keep_findings(case.findings)
        scan = case.examination.scan.without_pixels()
        student = case.examination.anomaly.has_student
        files = self._write(arrays)
        return KeptCase(case.request, scan, result, findings, case.view, student, self, files, masks)

    def keep_findings(self, findings: Findings) -> tuple[SavedFindings, _Arrays]:
        """Writes findings; see `KeptCase.read_by`."""
        arrays: dict[str, Array] = {}
        return save_findings(findings, _NAME, arrays), self._write(arrays)

    def _write(self, arrays: dict[str, Array]) -> _Arrays:
        if self._folder is None:
            self._folder = ScratchFolder()
        return _Arrays(self._folder, self._folder.path / f"{next(self._numbers)}{SUFFIX}", arrays)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
