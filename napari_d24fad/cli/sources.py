"""From the paths of a command to series: one for a query, all of them for references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_d24fad.errors import ArgumentError, Code, D24fadError, PairingError, StudyError
from napari_d24fad.studies.scan import Problem
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import chosen, open_study
from napari_d24fad.studies.volumes import summary

_NIFTI_SUFFIXES = (".nii.gz", ".nii")


@dataclass(frozen=True, slots=True)
class Query:
    """A scan that was asked for.

    Attributes:
        number: Its place among those asked for, from 1.
        found: Its series, or why there is none that can be examined.
        stem: What files about it are named after: its place among the queries, or if the
            user wants to see identities the name of its file.
    """

    number: int
    found: Series | D24fadError
    stem: str = field(default="", repr=False)


def open_queries(
    paths: Sequence[Path],
    number: int | None,
    volume: int | None = None,
    *,
    resample: bool = False,
    show_identity: bool = False,
) -> list[Query]:
    """Finds the scans to examine; reads headers only.

    Args:
        paths: Each must hold one series.
        number: Which series of a single path to take, from 1.
        volume: Which volume of series that have several, from 1.
        resample: Whether series with missing or uneven slices are resampled, not refused.
        show_identity: Whether results may say whose scan it is.

    Raises:
        ArgumentError: There is no series of this number, or a number for several paths.
    """
    if number is not None and len(paths) > 1:
        raise ArgumentError(Code.BAD_ARGUMENT, "--series goes with one query only.")
    queries = []
    for at, path in enumerate(paths, start=1):
        try:
            rows = open_study(path, show_identity=show_identity).rows_to_load(resample=resample)
            series = _one(rows, number, volume)
            found: Series | D24fadError = _refusal(series) or series
        except StudyError as error:
            found = error
        queries.append(Query(at, found, stem_of(path) if show_identity else f"query-{at}"))
    return queries


def open_references(
    paths: Sequence[Path], volume: int | None = None, *, resample: bool = False
) -> tuple[tuple[Series, ...], tuple[Problem, ...]]:
    """Finds the scans that are marked as normal; reads headers only.

    Raises:
        PairingError: ``TOO_FEW_REFERENCES`` if no path was given.
        D24fadError: See `open_marked`.
    """
    if not paths:
        raise PairingError(Code.TOO_FEW_REFERENCES, "None was given.")
    groups, problems = open_marked(paths, volume, resample=resample)
    return tuple(series for group in groups for series in group), problems


def open_marked(
    paths: Sequence[Path], volume: int | None = None, *, resample: bool = False, name: str = "Reference"
) -> tuple[list[list[Series]], tuple[Problem, ...]]:
    """Finds the scans that are marked, as normal or as abnormal; reads headers only.

    Args:
        paths: Each gives all of its series that can be loaded.
        volume: Which volume of series that have several, from 1.
        resample: Whether series with missing or uneven slices are resampled, not left out.
        name: What one of them is called in messages.

    Returns:
        The scans of each path, and what should be known of them.

    Raises:
        StudyError: A path holds nothing that can be a reference.
        ArgumentError: None of its series has a volume of this number.
    """
    groups: list[list[Series]] = []
    problems = []
    for number, path in enumerate(paths, start=1):
        found, refusals = _usable(open_study(path).rows_to_load(resample=resample), volume)
        if not found:
            first = refusals[0]
            raise type(first)(first.code, f"{name} path {number}: {first.detail}")
        left_out = f"A series of {name.lower()} path {number} was left out."
        problems += [Problem(refusal.code, f"{refusal.detail} {left_out}".strip()) for refusal in refusals]
        groups.append(found)
    for number, series in enumerate((each for group in groups for each in group), start=1):
        problems += [
            Problem(problem.code, f"{problem.detail} {name} {number}.".strip()) for problem in series.problems
        ]
    return groups, tuple(problems)


def _usable(rows: Sequence[Sequence[Series]], volume: int | None) -> tuple[list[Series], list[D24fadError]]:
    """Returns the series of a path that can be references, and why others cannot."""
    found: list[Series] = []
    refusals: list[D24fadError] = []
    for row in rows:
        try:
            series = _of_row(row, volume)
        except D24fadError as error:  # several volumes and no number, or none of this number
            refusals.append(error)
            continue
        refusal = _refusal(series)
        if refusal:
            refusals.append(refusal)
        else:
            found.append(series)
    return found, refusals


def _refusal(series: Series) -> StudyError | None:
    """Returns why a series cannot be loaded, and what the user may say to have it all the same."""
    refusal = series.refusal
    if refusal is None or series.remedy is None:
        return refusal
    return StudyError(refusal.code, f"{refusal.detail} --resample takes it all the same.".strip())


def stem_of(path: Path) -> str:
    """Returns the name of a file or folder without what only tells its format."""
    name = path.absolute().name
    suffix = next((each for each in _NIFTI_SUFFIXES if name.lower().endswith(each)), path.suffix)
    return name.removesuffix(name[len(name) - len(suffix) :]) if path.is_file() and suffix else name


def _one(rows: Sequence[Sequence[Series]], number: int | None, volume: int | None) -> Series:
    if number is None:
        if len(rows) > 1:
            listed = "; ".join(f"{at} {row_label(row)}" for at, row in enumerate(rows, start=1))
            raise StudyError(Code.SEVERAL_SERIES, f"Found: {listed}.")
        number = 1
    if not 1 <= number <= len(rows):
        raise ArgumentError(Code.BAD_ARGUMENT, f"There is no series {number}; inspect counts {len(rows)}.")
    return _of_row(rows[number - 1], volume)


def _of_row(row: Sequence[Series], volume: int | None) -> Series:
    """Returns the volume of a row; one that is alone needs no number, since others beside it may."""
    return chosen(row, volume if len(row) > 1 else None)


def row_label(row: Sequence[Series]) -> str:
    """Returns what to call a series in a list: its label, and what its volumes are if it has several."""
    if len(row) == 1:
        return row[0].label
    return f"{replace(row[0], member=None).label}, {summary(row)}"
