"""Phantoms of the DICOM export: the map holds 2x + 3y + 5z, and findings are balls of known place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from napari_d24fad.export.pages.entry import CaseEntry
from napari_d24fad.export.report import ReportEntry
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.findings.findings import Findings
from napari_d24fad.findings.making import by_hand
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from tests.export.maps import make_map, positions, world_value

RADIUS_MM = 3.5
GRID = (6, 24, 20)
ORDER = [3, 1, 5, 0, 2, 4]
"""Of the frames of a file, as if they came from several."""


class Exported(NamedTuple):
    """A series, its case, and the folder with all objects."""

    series: Series
    entry: CaseEntry
    folder: Path


def opened(folder: Path) -> Series:
    """The only series of a folder, or what can be made of it."""
    (series,) = open_study(folder).series
    return series if series.remedy is None else series.remedy


def centres(scan: Scan) -> list[np.ndarray]:
    """Of two balls that do not touch, in LPS mm, at a third and two thirds of the diagonal."""
    corner = np.array(scan.grid) - 1.0
    return [(scan.affine @ [*(corner * share), 1])[:3] for share in (0.25, 0.8)]


def balls(scan: Scan) -> list[np.ndarray]:
    """The voxels whose middle lies in each ball."""
    lps = positions(scan.grid, np.asarray(scan.affine))
    return [np.linalg.norm(lps - centre, axis=-1) < RADIUS_MM for centre in centres(scan)]


def case(series: Series) -> CaseEntry:
    """A result of the series whose first finding is accepted, as is the second; a third was rejected."""
    scan = series.load()
    values = world_value(positions(scan.grid, np.asarray(scan.affine)))
    values[0, 0, 0] = np.nan
    anomaly = make_map(values, np.asarray(scan.affine))
    findings = Findings()
    for mask in (*balls(scan), balls(scan)[0]):
        findings = findings.add(replace(by_hand(scan, mask, anomaly), by_hand=False))
    findings = findings.judge(1, Verdict.ACCEPTED).judge(2, Verdict.ACCEPTED).judge(3, Verdict.REJECTED)
    entry = ReportEntry(scan, "MR", anomaly, ("Reference 1", "Reference 2"))
    return CaseEntry(entry, findings.name(1, "Hämorrhagie"))
