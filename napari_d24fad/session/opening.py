"""Finds and previews series: what the opening worker does, free of Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import D24fadError
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.studies.series import Series

if TYPE_CHECKING:
    from napari_d24fad.studies.study import Study

Thumbnail = npt.NDArray[np.uint8]
THUMBNAIL_PX = 144
"""Twice the size it is shown at, for screens with two pixels per point."""


def open_paths(
    paths: Iterable[Path],
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    *,
    show_identity: bool = False,
    early: Callable[[tuple[Series, ...]], None] | None = None,
) -> Study:
    """Opens what was dropped or chosen together as one study.

    Several DICOM files of one folder are taken for the whole folder: nobody means a single slice
    when dragging three hundred files. NIfTI files and images are scans of their own.

    Args:
        paths: Folders and files.
        progress: Told how far the search is.
        cancel: Stops the search.
        show_identity: See `open_study`.
        early: See `open_study`; for a single folder or file.

    Returns:
        The series; of several, each with its number, which volumes of one series share.

    Raises:
        StudyError: Why nothing can be shown.
        Cancelled: If a stop was asked for.
    """
    # The readers of all formats take half a second to import: not before something is opened.
    from napari_d24fad.studies.study import Study, is_whole_scan, open_scans, open_study

    chosen = list(paths)
    scans: list[Path] = []
    if len(chosen) > 1 and all(path.is_file() for path in chosen):
        scans = list(filter(is_whole_scan, chosen))
        others = (path for path in chosen if not is_whole_scan(path))
        places = (path if path.suffix.lower() == ".zip" else path.parent for path in others)
        chosen = list(dict.fromkeys(places))
    studies = [
        open_study(
            path,
            show_identity=show_identity,
            progress=progress,
            cancel=cancel,
            early=early if len(chosen) == 1 else None,
        )
        for path in chosen
    ]
    # A folder leaves out pictures beside DICOM files; one that was chosen is wanted.
    opened = {file for study in studies for one in study.series for file in one.files}
    scans = [path for path in scans if path not in opened]
    if scans:
        studies.append(open_scans(scans, show_identity=show_identity, progress=progress, cancel=cancel))
    rows = [row for study in studies for row in study.rows]
    if len(rows) > 1:
        rows = [tuple(one.numbered(number) for one in row) for number, row in enumerate(rows, start=1)]
    return Study(
        tuple(one for row in rows for one in row),
        tuple(problem for study in studies for problem in study.problems),
    )


def draw_thumbnails(
    series: Iterable[Series],
    show: Callable[[Series, Thumbnail | D24fadError], None],
    cancel: CancelToken,
) -> None:
    """Draws thumbnails one by one and hands each out at once.

    Args:
        series: What to draw.
        show: Given the thumbnail, or why there is none.
        cancel: Stops the drawing.

    Raises:
        Cancelled: If a stop was asked for.
    """
    for one in series:
        cancel.check()
        if one.refusal is not None:
            continue
        try:
            show(one, one.thumbnail(THUMBNAIL_PX, cancel))
        except D24fadError as error:
            show(one, error)
