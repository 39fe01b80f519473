"""Writes everything a detection leaves: maps, pictures and the report, all or nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from napari_d24fad.atomic import atomic_folder
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.nifti import save_nifti
from napari_d24fad.export.overlay import draw_overlay, save_png
from napari_d24fad.export.report import (
    Refused,
    ReportEntry,
    build_report,
    channel_file,
    fingerprint,
    save_report,
)
from napari_d24fad.export.tiff import save_tiff
from napari_d24fad.studies.scan import Scan

MAP_NAME, OVERLAY_NAME, REPORT_NAME = "anomaly.nii.gz", "overlay.png", "report.json"
IMAGE_MAP_NAME = "anomaly.tiff"


def save_results(
    folder: str | os.PathLike[str],
    entries: Iterable[ReportEntry | Refused],
    *,
    names: Sequence[str] = (),
    replace_others: bool = False,
) -> dict[str, Any]:
    """Writes the results of one or more entries with one report.

    A volume becomes ``anomaly.nii.gz`` with ``overlay.png`` of its most suspicious slice.
    An image without geometry becomes ``NAME_anomaly.tiff`` and ``NAME_overlay.png``, and
    so do volumes, as NIfTI, when there are several.

    Args:
        folder: Where to; made if it is not there. Earlier results of the same scans are replaced.
        entries: What to write; taken one by one, so that they can be computed meanwhile and none need
            stay in memory.
        names: One file name stem per entry; needed for all but a single volume.
        replace_others: Whether results of other scans may be replaced too.

    Returns:
        The report that was written as ``report.json``.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses, and ``folder`` is as it was;
            ``NOTHING_TO_EXPORT`` if there is no result; ``RESULTS_OF_ANOTHER`` as `check_replaceable`.
    """
    with atomic_folder(folder) as new:
        report = build_report(_written(new, entries, names))
        if not report["results"]:
            raise ExportError(Code.NOTHING_TO_EXPORT)
        if not replace_others:
            _check_owners(Path(folder), _owners(report))
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
            yield _save_one(folder, entry, "" if len(names) <= 1 and _is_nifti(entry.scan) else stems[at])


def check_replaceable(
    folder: str | os.PathLike[str], scans: Iterable[Scan | None], *, names: Sequence[str] = ()
) -> None:
    """Returns if results of these scans replace nothing in a folder but earlier results of the same scans.

    Asked before a long computation, so that its result is not lost at the end.

    Args:
        folder: Where they are to go; it need not be there.
        scans: What is to be examined, None for what cannot be; taken only if there are results in the folder.
        names: As for `save_results`.

    Raises:
        ExportError: ``RESULTS_OF_ANOTHER`` if not. The report in the folder tells of which scans its
            files are.
    """
    place = Path(folder)
    stems = _distinct([f"{name}_" for name in names])
    kinds = (MAP_NAME, IMAGE_MAP_NAME, OVERLAY_NAME)
    possible = [f"{stem}{kind}" for stem in ("", *stems) for kind in kinds]
    if not any((place / name).is_file() for name in (REPORT_NAME, *possible)):
        return
    planned: dict[str, str] = {}
    for at, scan in enumerate(scans):
        if scan is not None:
            stem = "" if len(names) <= 1 and _is_nifti(scan) else stems[at]
            planned |= dict.fromkeys(_file_names(scan, stem), fingerprint(scan))
    _check_owners(place, planned)


def _check_owners(folder: Path, planned: Mapping[str, str]) -> None:
    """Refuses to replace files of other scans.

    Args:
        folder: Where the files are to go.
        planned: The fingerprint of the scan of each file.
    """
    report = folder / REPORT_NAME
    there = [name for name in planned if (folder / name).is_file()]
    if not there and not report.is_file():
        return
    try:
        owners = _owners(json.loads(report.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):  # none, or not one of this version
        owners = {}
    strange = [name for name in there if owners.get(name) != planned[name]]
    if strange or not owners or not set(owners.values()) <= set(planned.values()):
        raise ExportError(Code.RESULTS_OF_ANOTHER)


def _owners(report: dict[str, Any]) -> dict[str, str]:
    """Returns the files that a report names, and the fingerprint of the scan of each."""
    results = report["results"]
    return {str(name): str(one["query"]["fingerprint"]) for one in results for name in one["files"]}


def _file_names(scan: Scan, stem: str) -> tuple[str, str]:
    """Returns the names of the map and the picture of a scan."""
    return stem + (MAP_NAME if _is_nifti(scan) else IMAGE_MAP_NAME), stem + OVERLAY_NAME


def _is_nifti(scan: Scan) -> bool:
    return scan.has_geometry or scan.is_volume


def _save_one(folder: Path, entry: ReportEntry, stem: str) -> ReportEntry:
    scan, anomaly = entry.scan, entry.anomaly
    map_name, picture_name = _file_names(scan, stem)
    as_nifti = partial(save_nifti, has_geometry=scan.has_geometry, sides_known=scan.sides_known)
    if _is_nifti(scan):
        as_nifti(anomaly, folder / map_name)
    else:
        save_tiff(anomaly, folder / map_name)
    files = [map_name]
    for channel, values in entry.channel_maps:
        files.append(f"{stem}{channel_file(channel)}")
        as_nifti(replace(anomaly, values=values), folder / files[-1], channel=channel)
    for index in anomaly.most_suspicious(1):
        files.append(picture_name)
        picture = draw_overlay(
            scan, anomaly, index, label=entry.label, ct_window=entry.ct_window, ct_windows=entry.ct_windows
        )
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
