"""Writes what the user keeps of an examination: what the saving worker does, free of Qt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination

if TYPE_CHECKING:
    from napari_d24fad.export.stamp import Picture, Stamp

_IMAGE_STEM = "image"


def save_canvas(picture: Picture, marks: Stamp, path: Path, progress: Progress, cancel: CancelToken) -> str:
    """Stamps a picture of the canvas and writes it as PNG.

    Returns:
        What to tell the user.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    # Imported when something is saved: they draw with libraries that are slow to import.
    from napari_d24fad.export.overlay import save_png
    from napari_d24fad.export.stamp import stamp

    save_png(stamp(picture, marks), path)
    return "The picture was saved."


def save_examination(examination: Examination, folder: Path, progress: Progress, cancel: CancelToken) -> str:
    """Writes map, overlay and report of an examination, all or nothing.

    Returns:
        What to tell the user.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    from napari_d24fad.export.report import ReportEntry
    from napari_d24fad.export.results import save_results

    references = enumerate(examination.request.references, start=1)
    labels = tuple(f"Reference {number}: {series.label}" for number, series in references)
    anomaly = replace(examination.anomaly, reference_labels=labels)
    request = examination.request
    entry = ReportEntry(examination.scan, request.query.label, anomaly, request.window)
    save_results(folder, [entry], names=[_IMAGE_STEM])
    return "The anomaly map, the overlay and the report were saved."
