"""Scans as a session names them: what is known of them without opening anything."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from napari_d24fad.errors import Code, SessionError, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.saved.document import SavedProblem, SavedScan, SavedStudy
from napari_d24fad.session.saved.hashes import ContentHashes
from napari_d24fad.studies.scan import Problem, Scan, SeriesIdentity, Voxels
from napari_d24fad.studies.series import Series, outline_voxels
from napari_d24fad.studies.volumes import Member

_BY_CODE = {code.code: code for code in Code}
UNREAD = "not read"
"""In place of the hash of the pixels of a scan that was not opened."""
_MOST_VOXELS = 2**40


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NamedSeries(Series):
    """A series that a session names and that was not opened.

    Attributes:
        study: What the session says of it.
        folder: Where the session lies.
        is_foreign: Whether its path may have been chosen by somebody else.
    """

    study: SavedStudy = field(repr=False)
    folder: Path = field(repr=False)
    is_foreign: bool = True

    @property
    def label(self) -> str:
        """See `Series.label`: as it was when it was saved."""
        return self.study.label

    @property
    def files(self) -> tuple[Path, ...]:
        """See `Series.files`: nothing is known of them before they are opened."""
        return ()

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        raise SessionError(Code.SCAN_NOT_OPENED)

    def _read_middle_slice(self, cancel: CancelToken) -> Voxels:
        raise SessionError(Code.SCAN_NOT_OPENED)


def named_series(
    study: SavedStudy, folder: Path, *, is_foreign: bool, refusal: StudyError | None = None
) -> NamedSeries:
    """Makes the series of a scan that is not opened.

    Args:
        study: What the session says of it.
        folder: Where the session lies.
        is_foreign: Whether its path may have been chosen by somebody else.
        refusal: Why it cannot be opened; None as long as nobody tried.

    Raises:
        ValueError: What is said of it makes no sense; so for the others here.
        KeyError: It has a code that this version does not know.
    """
    return NamedSeries(
        outline=outline_of(study.scan),
        source=Path(study.path),
        n_files=study.n_files,
        kind=study.kind,
        number=study.number,
        member=Member(f"named {id(study)}", study.member) if study.member else None,
        study=study,
        folder=folder,
        is_foreign=is_foreign,
        refusal=refusal,
    )


def save_study(
    series: Series, folder: Path, mark: str, hashes: ContentHashes, cancel: CancelToken
) -> SavedStudy:
    """Returns what a session says of a scan.

    Args:
        series: The scan.
        folder: Of the session file.
        mark: See `SavedStudy.mark`.
        hashes: Reads its files, unless it did before.
        cancel: Stops that.

    Raises:
        Cancelled: If a stop was asked for.
    """
    path = place_of(series)
    return SavedStudy(
        scan=save_scan(series.outline),
        path="" if path is None else str(path),
        relative="" if path is None else _relative(path, folder),
        sha256=hashes.of(series, cancel),
        state=series.fingerprint(),
        n_files=series.n_files,
        variant=series.variant,
        member=series.member.number if series.member else 0,
        kind=series.kind,
        number=series.number,
        label=series.label,
        mark=mark,
    )


def place_of(series: Series) -> Path | None:
    """Returns the folder or file to open a series from again; None if it is in none."""
    if not series.files:
        return None
    if series.holds is not None:
        return None if series.holds.of is None else series.holds.of.absolute()
    return series.source.absolute()


def save_scan(scan: Scan) -> SavedScan:
    """Returns a scan without its pixels and its identity."""
    rows = [(float(a), float(b), float(c), float(d)) for a, b, c, d in scan.affine]
    return SavedScan(
        grid=scan.grid,
        affine=(rows[0], rows[1], rows[2], rows[3]),
        modality=scan.modality,
        photometric=scan.photometric,
        has_geometry=scan.has_geometry,
        sides_known=scan.sides_known,
        slice_axis=scan.slice_axis,
        unit=scan.unit,
        body_part=scan.identity.body_part,
        description=scan.identity.description,
        stated_window=scan.stated_window,
        problems=save_problems(scan.problems),
    )


def outline_of(saved: SavedScan) -> Scan:
    """Returns a scan without its pixels.

    Raises:
        ValueError: It has no voxels, or its geometry is not valid.
        KeyError: It has a code that this version does not know.
    """
    affine = np.array(saved.affine, np.float64)
    sizes = (size >= 1 for size in saved.grid)
    if not all(sizes) or int(np.prod(saved.grid, dtype=object)) > _MOST_VOXELS:
        raise ValueError("The scan has no voxels.")
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) == 0:
        raise ValueError("The scan has no geometry.")
    if not 0 <= saved.slice_axis <= 2:
        raise ValueError("A scan has three axes.")
    return Scan(
        outline_voxels(saved.grid, saved.photometric),
        affine,
        modality=saved.modality,
        photometric=saved.photometric,
        identity=SeriesIdentity(description=saved.description, body_part=saved.body_part),
        has_geometry=saved.has_geometry,
        sides_known=saved.sides_known,
        slice_axis=saved.slice_axis,
        problems=problems_of(saved.problems),
        stated_window=saved.stated_window,
        unit=saved.unit,
        pixels_hash=UNREAD,
    )


def save_problems(problems: Iterable[Problem]) -> tuple[SavedProblem, ...]:
    """Returns problems by their codes."""
    return tuple(SavedProblem(problem.code.code, problem.detail) for problem in problems)


def problems_of(saved: Iterable[SavedProblem]) -> tuple[Problem, ...]:
    """Returns the problems.

    Raises:
        KeyError: This version does not know a code.
    """
    return tuple(Problem(_BY_CODE[each.code], each.detail) for each in saved)


def again(series: NamedSeries, folder: Path, mark: str) -> SavedStudy:
    """Returns what a session says of a scan that was not opened since it was read from another.

    Args:
        series: The scan.
        folder: Where this session is to lie.
        mark: See `SavedStudy.mark`.
    """
    study = series.study
    relative = _relative(series.folder / study.relative, folder) if study.relative else ""
    return replace(study, mark=mark, relative=relative)


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:  # on another drive
        return ""
