"""Small pictures of what an archive has, and of what has just arrived; decoded where a decoder may die."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_d24fad.archives.found import FoundSeries
from napari_d24fad.archives.peer import Peer
from napari_d24fad.errors import ArchiveError, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.pictures import image_series
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from napari_d24fad.studies.thumbnail import thumbnail

Picture = npt.NDArray[np.uint8]


def preview_of(peer: Peer, series: FoundSeries, size: int, cancel: CancelToken) -> Picture | None:
    """Returns a picture of a series, as the archive renders it; None where it offers none.

    Args:
        peer: Where it is.
        series: Which.
        size: Length of the longer side in pixels.
        cancel: Stops it.

    Raises:
        Cancelled: If asked to stop.
    """
    try:
        content = peer.preview(series)
    except ArchiveError:
        return None
    if not content:
        return None
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "preview.jpg")
        file.write_bytes(content)
        try:
            return thumbnail(image_series(file).load(cancel=cancel), size)
        except StudyError:
            return None


def image_of(file: Path, cancel: CancelToken) -> tuple[Series, Scan] | None:
    """Reads an image that has arrived; None if it shows nothing.

    Args:
        file: A DICOM file.
        cancel: Stops it.

    Raises:
        Cancelled: If asked to stop.
    """
    try:
        (series,) = open_study(file, cancel=cancel).series
        return series, series.load(cancel=cancel)
    except (StudyError, ValueError):
        return None
