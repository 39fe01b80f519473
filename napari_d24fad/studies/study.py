"""Opens a study: finds every series in a folder or file by its headers."""

from __future__ import annotations

import os
from dataclasses import dataclass

from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.studies.scan import Problem
from napari_d24fad.studies.series import Series


@dataclass(frozen=True, slots=True)
class Study:
    """What was found at one location.

    Attributes:
        series: The series, each known by its header only.
        problems: What concerns no single series, such as files that were left out.
    """

    series: tuple[Series, ...]
    problems: tuple[Problem, ...] = ()


def open_study(
    path: str | os.PathLike[str], *, progress: Progress = silent, cancel: CancelToken | None = None
) -> Study:
    """Finds the series at a location; reads headers only.

    Args:
        path: A folder (searched with its sub-folders, any mix of files), a DICOM file,
            a NIfTI file, or a PNG, JPEG or TIFF image.
        progress: Told how far the search is.
        cancel: Stops the search.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``, ``NO_IMAGES``, or for a single
            file the reason why it cannot be read.
        Cancelled: If a stop was asked for.
    """
    raise NotImplementedError
