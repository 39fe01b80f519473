"""Saves cases to a session file, and opens them again without a new run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_d24fad.errors import Code, PairingError, SessionError
from napari_d24fad.progress import CancelToken
from napari_d24fad.session.arrays import Array
from napari_d24fad.session.request import Drawn, Examination, Example, Request
from napari_d24fad.session.saved.case import Case, Marked, View
from napari_d24fad.session.saved.document import (
    Document,
    SavedCase,
    SavedDrawing,
    SavedExample,
    SavedStudy,
    SavedView,
)
from napari_d24fad.session.saved.file import read_document, write_document
from napari_d24fad.session.saved.hashes import ContentHashes
from napari_d24fad.session.saved.results import anomaly_of, findings_from, save_findings, save_result
from napari_d24fad.session.saved.scans import NamedSeries, again, named_series, save_study
from napari_d24fad.session.saved.seal import is_own
from napari_d24fad.studies.series import Series
from napari_d24fad.version import __version__


@dataclass(frozen=True, slots=True, eq=False)
class SessionFile:
    """A session as it was read from its file. Nothing that it names was opened.

    Attributes:
        path: The file.
        series: The scans that it names, which hold no pixels.
        is_own: Whether this user wrote it on this machine: then its paths may be opened without asking.
        cases: With their results and findings; their scans are among `series`.
        marked: The scans that are marked, likewise.
    """

    path: Path = field(repr=False)
    series: tuple[NamedSeries, ...] = field(repr=False)
    is_own: bool
    cases: tuple[Case, ...]
    marked: Marked

    @property
    def studies(self) -> tuple[SavedStudy, ...]:
        """What is said of the scans; their paths are to be shown to the user before they are opened."""
        return tuple(each.study for each in self.series)


def save_session(
    cases: Sequence[Case],
    path: Path,
    *,
    marked: Marked | None = None,
    hashes: ContentHashes | None = None,
    private: bool = False,
    cancel: CancelToken | None = None,
) -> None:
    """Saves cases with all that is needed to go on with them, all or nothing.

    Args:
        cases: In their order.
        path: The file.
        marked: Scans that are marked; None for those that the cases use.
        hashes: Knows the contents of files that were hashed before.
        private: Whether only this user may read it.
        cancel: Stops it.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses; an older file is as it was.
        D24fadError: A region that was drawn cannot be read.
        Cancelled: If a stop was asked for.
    """
    saving = _Saving(path.absolute().parent, hashes or ContentHashes(), cancel or CancelToken())
    for case in cases:
        saving.mark(case.request.references, "normal")
        saving.mark([each.series for each in case.request.abnormal], "abnormal")
    if marked is not None:
        saving.marks = {}
        saving.mark(marked.normal, "normal")
        saving.mark(marked.abnormal, "abnormal")
    saved = tuple(saving.case(number, case) for number, case in enumerate(cases))
    document = Document(__version__, saving.all_studies(), saved)
    write_document(document, saving.arrays, path, seal=not saving.is_foreign, private=private)


def read_session(path: Path) -> SessionFile:
    """Reads a session. Its results are there at once; none of the scans that it names is looked for.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``.
        SessionError: ``SESSION_BROKEN``; ``SESSION_NEWER``, if a later version wrote it.
    """
    document, arrays = read_document(path)
    own, folder = is_own(document), path.absolute().parent
    try:
        series = tuple(named_series(study, folder, is_foreign=not own) for study in document.studies)
        cases = tuple(_case(each, series, arrays) for each in document.cases)
    except (KeyError, ValueError, TypeError, IndexError, PairingError) as error:
        raise SessionError(Code.SESSION_BROKEN) from error
    marks = [study.mark for study in document.studies]
    normal, abnormal = (
        tuple(one for one, its in zip(series, marks, strict=True) if its == mark)
        for mark in ("normal", "abnormal")
    )
    return SessionFile(path, series, own, cases, Marked(normal, abnormal))


class _Saving:
    """Collects what a session says."""

    def __init__(self, folder: Path, hashes: ContentHashes, cancel: CancelToken) -> None:
        self._folder, self._hashes, self._cancel = folder, hashes, cancel
        self._series: dict[int, Series] = {}  # by identity, in the order they are met
        self.marks: dict[int, str] = {}
        self.arrays: dict[str, Array] = {}
        self.is_foreign = False

    def mark(self, series: Sequence[Series], mark: str) -> None:
        for each in series:
            self._place(each)
            self.marks[id(each)] = mark

    def all_studies(self) -> tuple[SavedStudy, ...]:
        return tuple(self._study(each) for each in self._series.values())

    def case(self, number: int, case: Case) -> SavedCase:
        request, name = case.request, f"case {number}"
        result = None
        if case.examination is not None:
            result = save_result(case.examination, name, self.arrays)
        return SavedCase(
            query=self._place(request.query),
            normal=tuple(map(self._place, request.references)),
            model=str(request.model),
            device=request.device,
            abnormal=tuple(self._example(each, name, at) for at, each in enumerate(request.abnormal)),
            shares=request.shares,
            ct_window=request.ct_window,
            scoring=request.scoring,
            direction=request.direction,
            drawings=tuple(self._drawing(each, name, at) for at, each in enumerate(request.regions)),
            result=result,
            findings=save_findings(case.findings, name, self.arrays),
            view=SavedView(case.view.slice_index, case.view.level, case.view.window),
        )

    def _drawing(self, drawn: Drawn, name: str, at: int) -> SavedDrawing:
        self.arrays[f"{name} drawing {at}"] = drawn.read()
        return SavedDrawing(self._place(drawn.series), f"{name} drawing {at}")

    def _example(self, example: Example, name: str, at: int) -> SavedExample:
        lesion, place = example.lesion, self._place(example.series)
        if not isinstance(lesion, Drawn):
            return SavedExample(place, example.kind, slices=lesion)
        self.arrays[f"{name} lesion {at}"] = lesion.read()
        return SavedExample(place, example.kind, f"{name} lesion {at}")

    def _place(self, series: Series) -> int:
        self._series.setdefault(id(series), series)
        return list(self._series).index(id(series))

    def _study(self, series: Series) -> SavedStudy:
        mark = self.marks.get(id(series), "")
        if not isinstance(series, NamedSeries):
            return save_study(series, self._folder, mark, self._hashes, self._cancel)
        # Or a session that was sent, opened and saved would be taken for this user's own.
        self.is_foreign = self.is_foreign or series.is_foreign
        return again(series, self._folder, mark)


def _case(saved: SavedCase, series: Sequence[Series], arrays: dict[str, Array]) -> Case:
    used = (
        *(each.study for each in saved.drawings),
        saved.query,
        *saved.normal,
        *(each.study for each in saved.abnormal),
    )
    if not all(0 <= at < len(series) for at in used):
        raise ValueError("A case uses a scan that the session does not name.")
    scan = series[saved.query].outline
    request = Request(
        query=series[saved.query],
        references=tuple(series[at] for at in saved.normal),
        model=saved.model,
        device=saved.device,
        shares=saved.shares,
        ct_window=saved.ct_window,
        scoring=saved.scoring,
        direction=saved.direction,
        regions=tuple(Drawn.of(series[each.study], arrays[each.array]) for each in saved.drawings),
        abnormal=tuple(_example(each, series[each.study], arrays) for each in saved.abnormal),
    )
    examination = None
    if saved.result is not None:
        outline = replace(scan, pixels_hash=saved.result.pixels_sha256 or scan.pixels_hash)
        anomaly = anomaly_of(saved.result, scan, arrays)
        if len(anomaly.reference_scores) != len(request.references):
            raise ValueError("The result has other references than the case.")
        examination = Examination(request, outline, anomaly, saved.result.limits)
    view = View(saved.view.slice_index, saved.view.level, saved.view.window)
    return Case(request, examination, findings_from(saved.findings, scan, arrays), view)


def _example(saved: SavedExample, series: Series, arrays: dict[str, Array]) -> Example:
    lesion = Drawn.of(series, arrays[saved.drawing]) if saved.drawing else saved.slices
    return Example(series, saved.kind, lesion)
