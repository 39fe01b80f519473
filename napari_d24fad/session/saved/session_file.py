"""Saves cases to a session file, and opens them again without a new run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import overload

from napari_d24fad.errors import Code, PairingError, SessionError
from napari_d24fad.export.colours import COLORMAP, COLOURS
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
from napari_d24fad.session.saved.file import SessionWriter, read_document, session_writer
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
        queries: The scan of each case, likewise.
        examined: Which of the cases have a result, by their place among them.
        shown: The case that was shown, likewise.
    """

    path: Path = field(repr=False)
    series: tuple[NamedSeries, ...] = field(repr=False)
    is_own: bool
    cases: Sequence[Case]
    marked: Marked
    queries: tuple[NamedSeries, ...] = field(repr=False)
    examined: tuple[int, ...]
    shown: int = 0

    @property
    def studies(self) -> tuple[SavedStudy, ...]:
        """What is said of the scans; their paths are to be shown to the user before they are opened."""
        return tuple(each.study for each in self.series)


class EachWhenAsked(Sequence[Case]):
    """Cases that are put together each time they are asked for: many results would fill the memory.

    Args:
        count: How many there are.
        case: Returns one by its place.
    """

    def __init__(self, count: int, case: Callable[[int], Case]) -> None:
        self._count, self._case = count, case

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Case: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Case]: ...
    def __getitem__(self, at: int | slice) -> Case | Sequence[Case]:
        if isinstance(at, slice):
            return tuple(self._case(each) for each in range(self._count)[at])
        return self._case(range(self._count)[at])


def save_session(
    cases: Iterable[Case],
    path: Path,
    *,
    marked: Marked | None = None,
    shown: int = 0,
    hashes: ContentHashes | None = None,
    private: bool = False,
    cancel: CancelToken | None = None,
) -> None:
    """Saves cases with all that is needed to go on with them, all or nothing.

    Args:
        cases: In their order; taken one at a time, so that a generator keeps one in memory.
        path: The file.
        marked: Scans that are marked; None for those that the cases use.
        shown: The case that is shown, by its place.
        hashes: Knows the contents of files that were hashed before.
        private: Whether only this user may read it.
        cancel: Stops it.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses; an older file is as it was.
        D24fadError: A region that was drawn cannot be read.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    with session_writer(path, private=private) as writer:
        saving = _Saving(path.absolute().parent, writer, hashes or ContentHashes(), cancel)
        saved = []
        for number, case in enumerate(cases):
            cancel.check()
            saving.mark(case.request.references, "normal")
            saving.mark([each.series for each in case.request.abnormal], "abnormal")
            saved.append(saving.case(number, case))
        if marked is not None:
            saving.marks = {}
            saving.mark(marked.normal, "normal")
            saving.mark(marked.abnormal, "abnormal")
        document = Document(__version__, saving.all_studies(), tuple(saved), shown=shown)
        writer.finish(document, seal=not saving.is_foreign)


def read_session(path: Path, *, at_once: bool = True) -> SessionFile:
    """Reads a session. Its results are there at once; none of the scans that it names is looked for.

    Args:
        path: The file.
        at_once: Whether all results are read now; else each `SessionFile.cases` is read whenever it is
            asked for, and the file must stay as it is.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``.
        SessionError: ``SESSION_BROKEN``; ``SESSION_NEWER``, if a later version wrote it.
    """
    document, arrays = read_document(path)
    own, folder = is_own(document), path.absolute().parent

    def case(at: int) -> Case:
        try:
            return _case(document.cases[at], series, arrays)
        except (KeyError, ValueError, TypeError, IndexError, PairingError) as error:
            raise SessionError(Code.SESSION_BROKEN) from error

    try:
        series = tuple(named_series(study, folder, is_foreign=not own) for study in document.studies)
        queries = tuple(series[each.query] for each in document.cases)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise SessionError(Code.SESSION_BROKEN) from error
    cases: Sequence[Case] = EachWhenAsked(len(document.cases), case)
    if at_once:
        cases = tuple(cases)
    marks = [study.mark for study in document.studies]
    normal, abnormal = (
        tuple(one for one, its in zip(series, marks, strict=True) if its == mark)
        for mark in ("normal", "abnormal")
    )
    shown = document.shown if 0 <= document.shown < len(cases) else 0
    examined = tuple(at for at, each in enumerate(document.cases) if each.result is not None)
    return SessionFile(path, series, own, cases, Marked(normal, abnormal), queries, examined, shown)


class _Saving:
    """Collects what a session says, and writes the arrays of each case at once."""

    def __init__(
        self, folder: Path, writer: SessionWriter, hashes: ContentHashes, cancel: CancelToken
    ) -> None:
        self._folder, self._writer, self._hashes, self._cancel = folder, writer, hashes, cancel
        self._series: dict[int, Series] = {}  # by identity, in the order they are met
        self._places: dict[int, int] = {}
        self.marks: dict[int, str] = {}
        self._arrays: dict[str, Array] = {}
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
            result = save_result(case.examination, name, self._arrays)
        saved = SavedCase(
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
            findings=save_findings(case.findings, name, self._arrays),
            view=SavedView(case.view.slice_index, case.view.level, case.view.window, case.view.colours),
        )
        self._writer.add(self._arrays)
        self._arrays.clear()
        return saved

    def _drawing(self, drawn: Drawn, name: str, at: int) -> SavedDrawing:
        self._arrays[f"{name} drawing {at}"] = drawn.read()
        return SavedDrawing(self._place(drawn.series), f"{name} drawing {at}")

    def _example(self, example: Example, name: str, at: int) -> SavedExample:
        lesion, place = example.lesion, self._place(example.series)
        if not isinstance(lesion, Drawn):
            return SavedExample(place, example.kind, slices=lesion)
        self._arrays[f"{name} lesion {at}"] = lesion.read()
        return SavedExample(place, example.kind, f"{name} lesion {at}")

    def _place(self, series: Series) -> int:
        self._series.setdefault(id(series), series)
        return self._places.setdefault(id(series), len(self._places))

    def _study(self, series: Series) -> SavedStudy:
        mark = self.marks.get(id(series), "")
        if not isinstance(series, NamedSeries):
            return save_study(series, self._folder, mark, self._hashes, self._cancel)
        # Or a session that was sent, opened and saved would be taken for this user's own.
        self.is_foreign = self.is_foreign or series.is_foreign
        return again(series, self._folder, mark)


def _case(saved: SavedCase, series: Sequence[Series], arrays: Mapping[str, Array]) -> Case:
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
    colours = saved.view.colours if saved.view.colours in COLOURS else COLORMAP  # or of a later version
    view = View(saved.view.slice_index, saved.view.level, saved.view.window, colours)
    return Case(request, examination, findings_from(saved.findings, scan, arrays), view)


def _example(saved: SavedExample, series: Series, arrays: Mapping[str, Array]) -> Example:
    lesion = Drawn.of(series, arrays[saved.drawing]) if saved.drawing else saved.slices
    return Example(series, saved.kind, lesion)
