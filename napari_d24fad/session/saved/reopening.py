"""Opens the scans that a session names, and says which of them moved, changed or are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_d24fad.errors import Code, D24fadError, StudyError
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.session.request import Drawn, Example
from napari_d24fad.session.saved.case import Case, Marked
from napari_d24fad.session.saved.document import SavedStudy
from napari_d24fad.session.saved.hashes import ContentHashes
from napari_d24fad.session.saved.scans import NamedSeries
from napari_d24fad.session.saved.session_file import EachWhenAsked, SessionFile
from napari_d24fad.studies.files.bounded import is_file
from napari_d24fad.studies.scan import Problem
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study


@dataclass(frozen=True, slots=True, eq=False)
class OpenedSession:
    """A session whose scans were looked for.

    Attributes:
        cases: As in the file, with the scans that were found; others stay `NamedSeries`, and say why.
        marked: The scans that are marked, likewise.
        problems: Which scans moved, changed, or are missing.
        series: All scans that the session names, likewise.
        queries: The scan of each case.
    """

    cases: Sequence[Case]
    marked: Marked
    problems: tuple[Problem, ...]
    series: tuple[Series, ...] = ()
    queries: tuple[Series, ...] = ()


def open_scans(
    session: SessionFile, progress: Progress = silent, cancel: CancelToken | None = None
) -> OpenedSession:
    """Opens the scans that a session names, by their headers; asks nobody.

    To be called when the user has seen the paths in `SessionFile.studies` and agreed, or if `is_own`.

    Args:
        session: What was read.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        Cancelled: If a stop was asked for.
    """
    finding = _Finding(session, cancel or CancelToken())
    found: dict[int, Series] = {}
    problems: list[Problem] = []
    for at, named in enumerate(session.series):
        tell = part(progress, at / len(session.series), (at + 1) / len(session.series))
        series, problem = finding.find(named, tell)
        found[id(named)] = series
        if problem is not None:
            problems.append(Problem(problem, f"{series.label}."))
    cases: Sequence[Case] = EachWhenAsked(len(session.cases), lambda at: _with(session.cases[at], found))
    return OpenedSession(
        tuple(cases) if isinstance(session.cases, tuple) else cases,
        Marked(_all(session.marked.normal, found), _all(session.marked.abnormal, found)),
        tuple(problems),
        _all(session.series, found),
        _all(session.queries, found),
    )


def with_pixels(
    case: Case, progress: Progress = silent, cancel: CancelToken | None = None
) -> tuple[Case, tuple[Problem, ...]]:
    """Reads the pixels of the scan of a case.

    Args:
        case: Of `open_scans`; one without a result is returned as it is.
        progress: Told how far it is.
        cancel: Stops it.

    Returns:
        The case, and whether its scan has changed since.

    Raises:
        D24fadError: The scan cannot be read.
        Cancelled: If a stop was asked for.
    """
    examination = case.examination
    if examination is None or examination.scan.has_pixels:
        return case, ()
    query = case.request.query
    scan = query.load(progress, cancel)
    if scan.grid != examination.scan.grid:
        raise StudyError(Code.SCAN_CHANGED, f"{query.label}.")
    changed = scan.content_hash() != examination.scan.content_hash()
    problems = (Problem(Code.SCAN_CHANGED, f"{query.label}."),) if changed else ()
    return replace(case, examination=replace(examination, scan=scan)), problems


Found = Mapping[int, Series]
"""What was found in place of a series, by its identity."""


class _Finding:
    """Looks for scans; opens each place once."""

    def __init__(self, session: SessionFile, cancel: CancelToken) -> None:
        self._folder, self._cancel = session.path.absolute().parent, cancel
        self._hashes = ContentHashes()
        self._opened: dict[Path, tuple[Series, ...]] = {}

    def find(self, named: NamedSeries, progress: Progress) -> tuple[Series, Code | None]:
        """Returns a scan, and what has become of it, if anything."""
        study = named.study
        changed: Series | None = None
        is_there = False
        for place, has_moved in self._places(study):
            found = self._series(place, progress)
            is_there = is_there or bool(found)
            alike = [each for each in found if _is_like(each, study)]
            same = next((each for each in alike if self._is_same(each, study)), None)
            if same is not None:
                return same.numbered(study.number), Code.SCAN_MOVED if has_moved else None
            if changed is None and alike:
                changed = alike[0]
        if changed is not None:
            return changed.numbered(study.number), Code.SCAN_CHANGED
        code = Code.SCAN_CHANGED if is_there else Code.SCAN_MISSING
        return replace(named, refusal=StudyError(code)), code

    def _places(self, study: SavedStudy) -> Iterator[tuple[Path, bool]]:
        """Yields where a scan may be, and whether it has moved if it is there."""
        places = [(Path(study.path), False)] if study.path else []
        if study.relative:
            moved = (self._folder / study.relative).resolve()
            if str(moved) != study.path:
                places.append((moved, True))
        for place, has_moved in places:
            yield place, has_moved
            # How one DICOM file is read depends on the files beside it.
            if study.kind == "DICOM" and is_file(place):
                yield place.parent, has_moved

    def _series(self, place: Path, progress: Progress) -> tuple[Series, ...]:
        if place not in self._opened:
            try:
                found = open_study(place, progress=progress, cancel=self._cancel).series
            except D24fadError:  # what is there is not what was there
                found = ()
            offered = (each.remedy for each in found if each.remedy is not None)
            self._opened[place] = (*found, *offered)
        return self._opened[place]

    def _is_same(self, series: Series, study: SavedStudy) -> bool:
        if not study.state:
            return False
        return series.fingerprint() == study.state or self._hashes.of(series, self._cancel) == study.sha256


def _is_like(series: Series, study: SavedStudy) -> bool:
    """Whether a series could be the one that was saved, by its header."""
    member = series.member.number if series.member else 0
    own = (series.grid, series.variant, member, series.kind)
    codes = [problem.code.code for problem in series.problems]
    remarked = codes == [problem.code for problem in study.scan.problems]
    return remarked and own == (study.scan.grid, study.variant, study.member, study.kind)


def _with(case: Case, found: Found) -> Case:
    """Returns a case with the scans that were found."""
    request = case.request
    request = replace(
        request,
        query=_one(request.query, found),
        references=_all(request.references, found),
        abnormal=tuple(_example(each, found) for each in request.abnormal),
        regions=tuple(_drawn(each, found) for each in request.regions),
    )
    examination = case.examination
    if examination is not None:
        examination = replace(examination, request=request)
    return replace(case, request=request, examination=examination)


def _drawn(drawn: Drawn, found: Found) -> Drawn:
    """Returns a region as drawn on the scan that was found; the scans that are taken have the same grid."""
    series = _one(drawn.series, found)
    return (
        replace(drawn, series=series) if isinstance(series, NamedSeries) else Drawn.of(series, drawn.read())
    )


def _example(example: Example, found: Found) -> Example:
    lesion = example.lesion
    if isinstance(lesion, Drawn):
        lesion = _drawn(lesion, found)
        return Example(lesion.series, example.kind, lesion)
    return replace(example, series=_one(example.series, found))


def _one(series: Series, found: Found) -> Series:
    return found.get(id(series), series)


def _all(series: Sequence[Series], found: Found) -> tuple[Series, ...]:
    return tuple(_one(each, found) for each in series)
