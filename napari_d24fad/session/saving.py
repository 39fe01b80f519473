"""Writes what the user keeps of an examination: what the saving worker does, free of Qt."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.session.request import Examination

if TYPE_CHECKING:
    from napari_d24fad.export.report import ChannelMap, ReportEntry
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


def save_examination(
    examination: Examination,
    folder: Path,
    progress: Progress,
    cancel: CancelToken,
    *,
    replace_others: bool = False,
    channel_maps: Sequence[ChannelMap] = (),
) -> str:
    """Writes map, overlay and report of an examination, all or nothing; see `save`.

    Returns:
        What to tell the user.
    """
    save(examination, folder, replace_others=replace_others, channel_maps=channel_maps)
    if not channel_maps:
        return "The anomaly map, the overlay and the report were saved."
    titles = "; ".join(channel.title for channel, _ in channel_maps)
    return f"The joined map, its overlay and the report were saved, and as a file of its own: {titles}."


def save(
    examination: Examination,
    folder: str | os.PathLike[str],
    *,
    replace_others: bool = False,
    channel_maps: Sequence[ChannelMap] = (),
) -> dict[str, Any]:
    """Writes map, overlay and report of an examination, all or nothing.

    A volume becomes ``anomaly.nii.gz`` on the grid of the scan, with ``overlay.png`` of its most
    suspicious slice; an image without geometry ``image_anomaly.tiff`` with ``image_overlay.png``.

    Args:
        examination: What to write.
        folder: Where to; made if it is not there. Earlier results of the same scan are replaced.
        replace_others: Whether results of another scan may be replaced too.
        channel_maps: Parts of the map to write as NIfTI of their own, each named by what it shows.

    Returns:
        What was written as ``report.json``; see docs/formats/report-schema.md.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses; ``RESULTS_OF_ANOTHER`` if results of another
            scan are in the folder.
    """
    # Imported when something is saved: it draws with libraries that are slow to import.
    from napari_d24fad.export.results import save_results

    entry = replace(report_entry(examination), channel_maps=tuple(channel_maps))
    return save_results(folder, [entry], names=[_IMAGE_STEM], replace_others=replace_others)


def report_entry(examination: Examination) -> ReportEntry:
    """Returns what is reported of an examination."""
    from napari_d24fad.export.report import ReportEntry

    request = examination.request
    references = enumerate(request.references, start=1)
    labels = tuple(f"Reference {number}: {series.label}" for number, series in references)
    examples = tuple(
        f"Abnormal example {number}: {marked.series.label}"
        for number, marked in enumerate(request.abnormal, start=1)
    )
    return ReportEntry(
        examination.scan,
        request.query.label,
        examination.anomaly,
        labels,
        request.window,
        request.windows,
        example_labels=examples,
    )
