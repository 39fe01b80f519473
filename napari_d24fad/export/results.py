"""Writes everything a detection leaves: maps, pictures and the report, all or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_d24fad.atomic import atomic_folder
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.nifti import save_nifti
from napari_d24fad.export.overlay import draw_overlay, save_png
from napari_d24fad.export.report import Refused, ReportEntry, build_report, save_report
from napari_d24fad.export.tiff import save_tiff

MAP_NAME, OVERLAY_NAME, REPORT_NAME = "anomaly.nii.gz", "overlay.png", "report.json"


def save_results(
    folder: str | os.PathLike[str], entries: Iterable[ReportEntry | Refused], *, names: Sequence[str] = ()
) -> dict[str, Any]:
    """Writes the results of one or more entries with one report.

    A volume becomes ``anomaly.nii.gz`` with ``overlay.png`` of its most suspicious slice.
    An image without geometry becomes ``NAME_anomaly.tiff`` and ``NAME_overlay.png``, and
    so do volumes, as NIfTI, when there are several.

    Args:
        folder: Where to; made if it is not there. Files of the same name are replaced.
        entries: What to write; taken one by one, so that they can be computed meanwhile and none need
            stay in memory.
        names: One file name stem per entry; needed for all but a single volume.

    Returns:
        The report that was written as ``report.json``.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses, and ``folder`` is as it was;
            ``NOTHING_TO_EXPORT`` if there is no result.
    """
    with atomic_folder(folder) as new:
        report = build_report(_written(new, entries, names))
        if not report["results"]:
            raise ExportError(Code.NOTHING_TO_EXPORT)
        save_report(report, new / REPORT_NAME)
    return report


def _written(
    folder: Path, entries: Iterable[ReportEntry | Refused], names: Sequence[str]
) -> Iterator[ReportEntry | Refused]:
    """Writes each entry, and yields it with the names of its files."""
    stems = _distinct([f"{name}_" for name in names])
    for at, entry in enumerate(entries):
        if isinstance(entry, Refused):
            yield entry
        else:
            yield _save_one(folder, entry, "" if len(names) <= 1 and _is_nifti(entry) else stems[at])


def _is_nifti(entry: ReportEntry) -> bool:
    return entry.scan.has_geometry or entry.scan.is_volume


def _save_one(folder: Path, entry: ReportEntry, stem: str) -> ReportEntry:
    scan, anomaly = entry.scan, entry.anomaly
    if _is_nifti(entry):
        map_name = stem + MAP_NAME
        known = {"has_geometry": scan.has_geometry, "sides_known": scan.sides_known}
        save_nifti(anomaly, folder / map_name, **known)
    else:
        map_name = f"{stem}anomaly.tiff"
        save_tiff(anomaly, folder / map_name)
    files = [map_name]
    for index in anomaly.most_suspicious(1):
        files.append(stem + OVERLAY_NAME)
        picture = draw_overlay(scan, anomaly, index, label=entry.label, ct_window=entry.ct_window)
        save_png(picture, folder / files[-1])
    return replace(entry, files=tuple(files))


def _distinct(stems: Sequence[str]) -> list[str]:
    """Numbers stems that occur again, so that no file of one call replaces another."""
    distinct: list[str] = []
    for stem in stems:
        candidate, number = stem, 1
        while candidate.casefold() in {taken.casefold() for taken in distinct}:
            number += 1
            candidate = f"{stem}{number}_"
        distinct.append(candidate)
    return distinct
