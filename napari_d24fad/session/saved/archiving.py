"""Writes the DICOM objects of cases: what ``d24fad export`` and the viewer do."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_d24fad.errors import Code, D24fadError, ExportError
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.session.saved.case import Case
from napari_d24fad.session.saved.old_results import REPORT_NAME
from napari_d24fad.session.saved.reporting import case_entry

if TYPE_CHECKING:
    from napari_d24fad.export.dicom.writing import Written
    from napari_d24fad.studies.series import Series


def save_dicom(case: Case, folder: Path, kinds: Collection[str], *, may_replace: bool = False) -> Written:
    """Writes the results of a case as DICOM objects of its study, all or nothing.

    Args:
        case: A case that was examined, with the pixels of its scan.
        folder: Where to; made if it is not there.
        kinds: Of `export.dicom.kinds.KINDS`.
        may_replace: Whether earlier objects in the folder may be replaced.

    Raises:
        ExportError: See `export.dicom.writing.save_dicom`.
        StudyError: Files of the scan are not there any more.
    """
    # Imported when something is saved: highdicom and what draws are slow to import.
    from napari_d24fad.export.dicom.writing import save_dicom as write

    return write(folder, case_entry(case), case.request.query, kinds, may_replace=may_replace)


def save_deidentified(
    case: Case,
    folder: Path,
    kinds: Collection[str],
    *,
    uid_map: Path | None = None,
    burned_in_accepted: bool = False,
    may_replace: bool = False,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Written:
    """Writes the scan of a case and its results without identity; see `export.dicom.anonymous`."""
    from napari_d24fad.export.dicom.anonymous import save_deidentified as write

    return write(
        folder,
        case_entry(case),
        case.request.query,
        kinds,
        uid_map=uid_map,
        burned_in_accepted=burned_in_accepted,
        may_replace=may_replace,
        progress=progress,
        cancel=cancel,
    )


def with_sources(
    cases: Sequence[Case],
    results: Path,
    source: Path,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> tuple[Case, ...]:
    """Finds the series that saved results were made from, which a report does not name.

    Args:
        cases: Of `read_results`.
        results: The folder that they were read from.
        source: A folder or file that holds the series.
        progress: Told how far it is.
        cancel: Stops it.

    Returns:
        The cases with their series, and the pixels of their scans.

    Raises:
        ExportError: ``SOURCE_NOT_FOUND`` if one of them is not there, pixel for pixel.
        StudyError: The folder cannot be read.
        Cancelled: If a stop was asked for.
    """
    from napari_d24fad.studies.study import open_study  # slow to import

    report = json.loads((results / REPORT_NAME).read_text(encoding="utf-8"))
    wanted = [str(each["query"]["fingerprint"]) for each in report["results"]]
    found = open_study(source, progress=part(progress, 0, 0.2), cancel=cancel).series
    offered = [*found, *(each.remedy for each in found if each.remedy is not None)]
    readers = [
        part(progress, 0.2 + 0.8 * at / len(cases), 0.2 + 0.8 * (at + 1) / len(cases))
        for at in range(len(cases))
    ]
    return tuple(
        _with_source(case, fingerprint, offered, tell, cancel)
        for case, fingerprint, tell in zip(cases, wanted, readers, strict=True)
    )


def _with_source(
    case: Case,
    fingerprint: str,
    offered: Sequence[Series],
    progress: Progress,
    cancel: CancelToken | None,
) -> Case:
    from napari_d24fad.export.report import fingerprint as fingerprint_of

    assert case.examination is not None
    for series in offered:
        if series.refusal is not None or series.grid != case.examination.scan.grid:
            continue
        try:
            scan = series.load(progress, cancel)
        except D24fadError:  # it is not the scan that was examined
            continue
        if fingerprint_of(scan) == fingerprint:
            request = replace(case.request, query=series)
            examination = replace(case.examination, request=request, scan=scan)
            return replace(case, request=request, examination=examination)
    raise ExportError(Code.SOURCE_NOT_FOUND)
