"""Writes everything a detection leaves: maps, pictures and the report, all or nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_d24fad.atomic import atomic_folder
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.nifti import save_nifti
from napari_d24fad.export.overlay import draw_overlay, save_png
from napari_d24fad.export.report import Examination, build_report, save_report
from napari_d24fad.export.tiff import save_tiff

MAP_NAME, OVERLAY_NAME, REPORT_NAME = "anomaly.nii.gz", "overlay.png", "report.json"


def save_results(
    folder: str | os.PathLike[str], examinations: Sequence[Examination], *, names: Sequence[str] = ()
) -> dict[str, Any]:
    """Writes the results of one or more examinations with one report.

    A volume becomes ``anomaly.nii.gz`` with ``overlay.png`` of its most suspicious slice.
    An image without geometry becomes ``NAME_anomaly.tiff`` and ``NAME_overlay.png``, and
    so do volumes, as NIfTI, when there are several.

    Args:
        folder: Where to; made if it is not there. Files of the same name are replaced.
        examinations: What to write.
        names: One file name stem per examination; needed for all but a single volume.

    Returns:
        The report that was written as ``report.json``.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses, and ``folder`` is as it was;
            ``NOTHING_TO_EXPORT`` if there are no examinations.
    """
    if not examinations:
        raise ExportError(Code.NOTHING_TO_EXPORT)
    single = len(examinations) == 1 and _is_nifti(examinations[0])
    stems = [""] if single else _distinct([f"{name}_" for name in names])
    with atomic_folder(folder) as new:
        written = [
            _save_one(new, examination, stem) for examination, stem in zip(examinations, stems, strict=True)
        ]
        report = build_report(written)
        save_report(report, new / REPORT_NAME)
    return report


def _is_nifti(examination: Examination) -> bool:
    return examination.scan.has_geometry or examination.scan.is_volume


def _save_one(folder: Path, examination: Examination, stem: str) -> Examination:
    scan, anomaly = examination.scan, examination.anomaly
    if _is_nifti(examination):
        map_name = stem + MAP_NAME
        save_nifti(anomaly, folder / map_name, has_geometry=scan.has_geometry)
    else:
        map_name = f"{stem}anomaly.tiff"
        save_tiff(anomaly, folder / map_name)
    files = [map_name]
    for index in anomaly.most_suspicious(1):
        files.append(stem + OVERLAY_NAME)
        picture = draw_overlay(scan, anomaly, index, label=examination.label, ct_window=examination.ct_window)
        save_png(picture, folder / files[-1])
    return replace(examination, files=tuple(files))


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
