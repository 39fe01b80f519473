"""Writes a scan and its results as DICOM files that no longer say whose they are."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_d24fad.atomic import atomic_file, atomic_folder
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.dicom.deidentify import Deidentifier
from napari_d24fad.export.dicom.kinds import USUAL
from napari_d24fad.export.dicom.writing import Written, save_dicom
from napari_d24fad.export.pages.entry import CaseEntry
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.studies.dicom.refusals import coded_errors
from napari_d24fad.studies.dicom.series import DicomSeries
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study


def save_deidentified(
    folder: Path,
    entry: CaseEntry,
    series: Series,
    kinds: Collection[str] = USUAL,
    *,
    uid_map: Path | None = None,
    burned_in_accepted: bool = False,
    may_replace: bool = False,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Written:
    """Writes copies of the files of a scan without identity, and its results as objects of these.

    The results are made from the copies, so that nothing in them can tell more. What a reader called a
    finding is left out: free text may name somebody.

    Args:
        folder: Where to; made if it is not there. Files of the scan are named by their order.
        entry: The case; its scan must have its pixels.
        series: What the scan was read from.
        kinds: As for `save_dicom`.
        uid_map: A CSV file to write old and new UIDs to; None, as long as nobody asks, keeps no way back.
        burned_in_accepted: Whether somebody looked at the pixels and agrees to them.
        may_replace: Whether earlier files of these names may be replaced.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        ExportError: ``MAY_SHOW_IDENTITY`` if the pixels may show who the patient is and nobody agreed;
            ``DEIDENTIFIED_DIFFERS`` if the copies are not read as the same scan; and as `save_dicom`.
        StudyError: Files of the series are not there any more.
        Cancelled: If a stop was asked for.
    """
    if not isinstance(series, DicomSeries):
        raise ExportError(Code.NO_DICOM_SOURCE)
    scan = entry.found.scan
    if scan.may_show_identity and not burned_in_accepted:
        raise ExportError(Code.MAY_SHOW_IDENTITY)
    removed = Deidentifier()
    with tempfile.TemporaryDirectory(prefix="d24fad-") as name:
        copies, objects = Path(name) / "scan", Path(name) / "objects"
        copies.mkdir()
        with coded_errors(series.instances[0].transfer_syntax), quiet():
            removed.copy(series.files, copies, cancel)
        progress(0.4, "Reading the copies again")
        same = _same(copies, scan, part(progress, 0.4, 0.7), cancel or CancelToken())
        unnamed = replace(
            entry.findings, listed=tuple(replace(each, label="", note="") for each in entry.findings.listed)
        )
        written = save_dicom(objects, replace(entry, findings=unnamed), same, kinds)
        files = [*sorted(copies.iterdir()), *(objects / each for each in written.names)]
        if not may_replace and any((folder / each.name).exists() for each in files):
            raise ExportError(Code.FILE_IS_THERE)
        with atomic_folder(folder) as new:
            for each in files:
                shutil.copyfile(each, new / each.name)
    if uid_map is not None:
        with atomic_file(uid_map, private=True) as staged, staged.open("w", newline="") as file:
            csv.writer(file).writerows([("old", "new"), *removed.uids.items()])
    return replace(written, names=tuple(each.name for each in files))


def _same(folder: Path, scan: Scan, progress: Progress, cancel: CancelToken) -> Series:
    """Returns the series of a folder that is read as the same scan.

    Raises:
        ExportError: ``DEIDENTIFIED_DIFFERS`` if there is none: some scanners say in private elements alone
            how slices lie.
    """
    found = open_study(folder, cancel=cancel).series
    for series in (*found, *(each.remedy for each in found if each.remedy is not None)):
        if series.refusal is not None or series.grid != scan.grid:
            continue
        read = series.load(progress, cancel)
        if read.content_hash() == scan.content_hash() and np.array_equal(read.affine, scan.affine):
            return series
    raise ExportError(Code.DEIDENTIFIED_DIFFERS)
