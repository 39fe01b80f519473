"""Writes what the user keeps of a finding: what the saving worker does, free of Qt."""

from __future__ import annotations

from pathlib import Path

from napari_d24fad.export.overlay import save_png
from napari_d24fad.export.report import Examination
from napari_d24fad.export.results import save_results
from napari_d24fad.export.stamp import Picture, Stamp, stamp
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.viewer.session import Finding

_IMAGE_STEM = "image"


def save_canvas(picture: Picture, marks: Stamp, path: Path, progress: Progress, cancel: CancelToken) -> str:
    """Stamps a picture of the canvas and writes it as PNG.

    Returns:
        What to tell the user.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    save_png(stamp(picture, marks), path)
    return "The picture was saved."


def save_finding(finding: Finding, folder: Path, progress: Progress, cancel: CancelToken) -> str:
    """Writes map, overlay and report of a finding, all or nothing.

    Returns:
        What to tell the user.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    examination = Examination(finding.scan, finding.request.query.label, finding.anomaly)
    save_results(folder, [examination], names=[_IMAGE_STEM])
    return "The anomaly map, the overlay and the report were saved."
