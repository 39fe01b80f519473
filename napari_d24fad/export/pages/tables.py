"""Findings as CSV and JSON, for a database or a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from napari_d24fad.export.anatomy import slice_number
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.export.numbers import maybe, number
from napari_d24fad.export.pages.entry import CaseEntry
from napari_d24fad.findings.finding import Finding
from napari_d24fad.findings.measurements import Measurement, Ruler
from napari_d24fad.findings.words import limits, scan_words, score_words
from napari_d24fad.version import __version__

SCHEMA = "d24fad-findings/1"

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""


def findings_table(entries: Iterable[CaseEntry]) -> dict[str, Any]:
    """Returns the findings of cases, without the rejected, as JSON; see docs/sessions.md."""
    return {
        "schema": SCHEMA,
        "notice": NOTICE,
        "tool": {"name": "napari-d24fad", "version": __version__},
        "cases": [_case(at, entry) for at, entry in enumerate(entries, start=1)],
    }


def findings_csv(table: dict[str, Any]) -> str:
    """Returns the same as CSV, a finding a line; text never begins as a formula does.

    Args:
        table: Of `findings_table`.
    """
    file = io.StringIO()
    lines = [
        {"case": case["number"], "scan": case["scan"]} | _flat(finding)
        for case in table["cases"]
        for finding in case["findings"]
    ]
    writer = csv.DictWriter(file, _COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in line.items()} for line in lines)
    return file.getvalue()


_COLUMNS = (
    "case", "scan", "finding", "verdict", "label", "by_hand", "map", "side", "slice", "first_slice",
    "last_slice", "longest_mm", "across_mm", "volume_mm3", "area_mm2", "voxels", "peak", "mean", "p_value",
    "score", "departs", "x_mm", "y_mm", "z_mm", "note",
)  # fmt: skip


def _case(at: int, entry: CaseEntry) -> dict[str, Any]:
    found = entry.found
    return {
        "number": at,
        "scan": found.label,
        "score": number(found.anomaly.score),
        "p_value": number(found.anomaly.p_value),
        "words": scan_words(found.anomaly),
        "limits": list(limits(found.anomaly)),
        "model": {"name": found.anomaly.model_name, "sha256": found.anomaly.model_sha256},
        "references": list(found.reference_labels),
        "findings": [_finding(entry, each) for each in entry.findings.shown],
        "measurements": [_measurement(each) for each in entry.findings.measurements if not each.finding],
    }


def _finding(entry: CaseEntry, finding: Finding) -> dict[str, Any]:
    scan, region = entry.found.scan, finding.region
    first, last = sorted(slice_number(scan, index) for index in region.slices)
    own = (each for each in entry.findings.measurements if each.finding == finding.number)
    return {
        "finding": finding.number,
        "verdict": finding.verdict.value,
        "label": finding.label or None,
        "note": finding.note or None,
        "by_hand": finding.by_hand,
        "map": finding.beside or None,
        "side": finding.side or None,
        "slice": slice_number(scan, finding.slice_index),
        "slices": [first, last],
        "diameters_mm": None if finding.diameters_mm is None else list(finding.diameters_mm),
        "volume_mm3": maybe(region.volume_mm3),
        "area_mm2": maybe(region.area_mm2),
        "voxels": region.n_voxels,
        "centroid_mm": None if region.centroid_mm is None else list(region.centroid_mm),
        "peak_index": list(region.peak_index),
        "peak": number(region.peak),
        "mean": number(region.mean),
        "p_value": number(region.p_value),
        "score": score_words(finding, entry.found.anomaly),
        "departs": region.meaning or None,
        "measurements": [_measurement(each) for each in own],
    }


def _measurement(each: Measurement) -> dict[str, Any]:
    places = {"first_index": list(each.first), "last_index": list(each.last)}
    if isinstance(each, Ruler):
        return {"kind": "ruler", **places, "length_mm": maybe(each.length_mm)}
    return {
        "kind": "ellipse",
        **places,
        "mean": number(each.mean),
        "standard_deviation": number(each.deviation),
        "voxels": each.n_voxels,
        "area_mm2": maybe(each.area_mm2),
        "unit": each.unit or None,
    }


def _flat(finding: dict[str, Any]) -> dict[str, Any]:
    longest, across = finding["diameters_mm"] or (None, None)
    x, y, z = finding["centroid_mm"] or (None, None, None)
    first, last = finding["slices"]
    return finding | {
        "longest_mm": longest,
        "across_mm": across,
        "x_mm": x,
        "y_mm": y,
        "z_mm": z,
        "first_slice": first,
        "last_slice": last,
    }


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return f"{value:.6g}" if isinstance(value, float) else value
