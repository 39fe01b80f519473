"""From the paths of a command to scans: one series for a query, all of them for references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_d24fad.errors import ArgumentError, Code, PairingError, StudyError
from napari_d24fad.progress import Progress, part
from napari_d24fad.studies.scan import Problem, Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study

_NIFTI_SUFFIXES = (".nii.gz", ".nii")


@dataclass(frozen=True, slots=True)
class Source:
    """A scan as the command got it.

    Attributes:
        scan: The scan.
        label: What it is, without identity.
        stem: What files about it are named after: its place among the queries, or if the
            user wants to see identities the name of its file.
    """

    scan: Scan
    label: str
    stem: str = field(default="", repr=False)


def load_queries(
    paths: Sequence[Path],
    number: int | None,
    progress: Progress,
    *,
    resample: bool = False,
    show_identity: bool = False,
) -> list[Source]:
    """Loads the scans to examine.

    Args:
        paths: Each must hold one series.
        number: Which series of a single path to take, from 1.
        progress: Told how far the reading is.
        resample: Whether series with missing or uneven slices are resampled, not refused.
        show_identity: Whether results may say whose scan it is.

    Raises:
        ArgumentError: There is no series of this number, or a number for several paths.
        StudyError: ``SEVERAL_SERIES`` without a number, or a scan cannot be read.
    """
    if number is not None and len(paths) > 1:
        raise ArgumentError(Code.BAD_ARGUMENT, "--series goes with one query only.")
    queries = []
    for done, path in enumerate(paths):
        reading = part(progress, done / len(paths), (done + 1) / len(paths))
        series = _one(_found(path, resample, show_identity), number)
        stem = stem_of(path) if show_identity else f"query-{done + 1}"
        queries.append(Source(series.load(reading), series.label, stem))
    return queries


def load_references(
    paths: Sequence[Path], progress: Progress, *, resample: bool = False
) -> tuple[list[Source], list[Problem]]:
    """Loads the normal references.

    Args:
        paths: Each gives all of its series that can be loaded.
        progress: Told how far the reading is.
        resample: Whether series with missing or uneven slices are resampled, not left out.

    Returns:
        The references, and what should be known of them.

    Raises:
        PairingError: ``TOO_FEW_REFERENCES`` if no path was given.
        StudyError: A path holds nothing that can be loaded, or pixels are damaged.
    """
    if not paths:
        raise PairingError(Code.TOO_FEW_REFERENCES, "None was given.")
    found = [_found(path, resample) for path in paths]
    problems = []
    for number, series in enumerate(found, start=1):
        refusals = [each.refusal for each in series if each.refusal]
        if len(refusals) == len(series):
            raise StudyError(refusals[0].code, f"Reference path {number}: {refusals[0].detail}")
        left_out = f"A series of reference path {number} was left out."
        problems += [Problem(refusal.code, f"{refusal.detail} {left_out}".strip()) for refusal in refusals]
    usable = [each for series in found for each in series if not each.refusal]
    references = []
    for done, each in enumerate(usable):
        scan = each.load(part(progress, done / len(usable), (done + 1) / len(usable)))
        references.append(Source(scan, each.label))
        problems += [
            Problem(problem.code, f"{problem.detail} Reference {done + 1}.".strip())
            for problem in scan.problems
        ]
    return references, problems


def _found(path: Path, resample: bool, show_identity: bool = False) -> list[Series]:
    """Returns the series of a path, or what the user accepts in their place."""
    study = open_study(path, show_identity=show_identity)
    return [each.remedy if resample and each.remedy else each for each in study.series]


def stem_of(path: Path) -> str:
    """Returns the name of a file or folder without what only tells its format."""
    name = path.absolute().name
    suffix = next((each for each in _NIFTI_SUFFIXES if name.lower().endswith(each)), path.suffix)
    return name.removesuffix(name[len(name) - len(suffix) :]) if path.is_file() and suffix else name


def _one(series: Sequence[Series], number: int | None) -> Series:
    if number is None:
        if len(series) > 1:
            listed = "; ".join(f"{at} {each.label}" for at, each in enumerate(series, start=1))
            raise StudyError(Code.SEVERAL_SERIES, f"Found: {listed}.")
        return series[0]
    if not 1 <= number <= len(series):
        raise ArgumentError(Code.BAD_ARGUMENT, f"There is no series {number}; inspect counts {len(series)}.")
    return series[number - 1]
