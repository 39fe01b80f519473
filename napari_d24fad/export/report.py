"""The report: what was examined with what, and every number that came out, as strict JSON."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib import metadata
from typing import Any

import numpy as np

from napari_d24fad.atomic import atomic_file
from napari_d24fad.detection.encoding.intensity import CT_WINDOW, CtWindow
from napari_d24fad.detection.references.regions import Region
from napari_d24fad.detection.result import AnomalyMap, ExampleEvidence, FloatArray, MapChannel
from napari_d24fad.errors import D24fadError
from napari_d24fad.export.anatomy import slice_number, slice_position_mm
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.export.numbers import maybe, number, numbers
from napari_d24fad.export.windows import examined_windows
from napari_d24fad.studies.scan import Problem, Scan
from napari_d24fad.version import __version__

SCHEMA = "d24fad-report/3"
"""Named in every report. The number grows when a key changes its meaning or goes away."""

_LIBRARIES = ("torch", "numpy", "scipy", "monai", "pydicom", "highdicom", "nibabel", "napari")
_MOST_SUSPICIOUS = 10
_FINGERPRINT_DIGITS = 16


ChannelMap = tuple[MapChannel, FloatArray]
"""A part of a map, and its values on the grid of the scan."""


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """A scan, what it is called, and what was found in it.

    Attributes:
        scan: The scan that was examined.
        label: What it is, without identity, such as the label of its series.
        anomaly: What was found.
        reference_labels: One short name without identity per reference.
        ct_window: Low and high HU that pictures show as black and white, for CT.
        ct_windows: Those that it was examined in, joined where there are several.
        files: Names of the files written for it, without folder.
        channel_maps: Parts of the map that are written as well.
        example_labels: One short name without identity per abnormal example.
    """

    scan: Scan
    label: str
    anomaly: AnomalyMap
    reference_labels: tuple[str, ...]
    ct_window: CtWindow = CT_WINDOW
    ct_windows: tuple[CtWindow, ...] = (CT_WINDOW,)
    files: tuple[str, ...] = field(default=(), repr=False)
    channel_maps: tuple[ChannelMap, ...] = field(default=(), repr=False)
    example_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A scan that was asked for and could not be examined.

    Attributes:
        number: Its place among those asked for, from 1.
        error: Why.
    """

    number: int
    error: D24fadError


def build_report(entries: Iterable[ReportEntry | Refused]) -> dict[str, Any]:
    """Collects all there is to report; every key is explained in docs/formats/report-schema.md.

    Holds no name, ID, date or path. Numbers that do not exist (a slice that was not
    examined) are None, never NaN.

    Args:
        entries: In the order they were asked for; taken one by one, and none is kept.
    """
    results, refused = [], []
    for entry in entries:
        if isinstance(entry, Refused):
            refused.append({"query": entry.number, "code": entry.error.code.code, "text": str(entry.error)})
        else:
            results.append(_result(entry))
    return {
        "schema": SCHEMA,
        "notice": NOTICE,
        "tool": {"name": "napari-d24fad", "version": __version__},
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _LIBRARIES},
        "results": results,
        "refused": refused,
    }


def save_report(report: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Writes a report as UTF-8 JSON.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    with atomic_file(path) as staged:
        staged.write_text(as_json(report) + "\n", encoding="utf-8")


def as_json(value: object) -> str:
    """Returns JSON that every parser accepts: NaN and infinity are refused, not written."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)


def coded(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Returns each problem as its code and its sentence."""
    return [{"code": problem.code.code, "text": str(problem)} for problem in problems]


def _result(entry: ReportEntry) -> dict[str, Any]:
    scan, anomaly = entry.scan, entry.anomaly
    return {
        "query": _query(entry),
        "model": {"name": anomaly.model_name, "sha256": anomaly.model_sha256},
        "scoring": anomaly.scoring,
        "direction": anomaly.direction or None,
        "anatomy": anomaly.anatomy or None,
        "plan": anomaly.plan or None,
        "examined_region": _examined_region(anomaly),
        "examples": _examples(anomaly, entry.example_labels),
        "channels": [
            {"name": each.name, "meaning": each.title, "file": _file_of(each, entry)}
            for each in anomaly.channels
        ],
        "device": anomaly.device,
        "seconds": round(anomaly.seconds, 3),
        "score": number(anomaly.score),
        "p_value": number(anomaly.p_value),
        "p_floor": number(anomaly.p_floor),
        "normal_level": number(anomaly.normal_level),
        "above_normal": share_above(anomaly, anomaly.normal_level),
        "level_one_region": number(anomaly.level_one_region),
        "above_one_region": share_above(anomaly, anomaly.level_one_region),
        "levels_by_rate": [
            {"rate": rate, "level": number(level)} for rate, level in sorted(anomaly.levels_by_rate.items())
        ],
        "regions": [_region(scan, region) for region in anomaly.regions],
        "beside": [
            {
                "plan": each.plan,
                "score": number(each.score),
                "p_value": number(each.p_value),
                "level_one_region": number(each.level_one_region),
                "regions": [_region(scan, region) for region in each.regions],
            }
            for each in anomaly.beside
        ],
        "references": _references(anomaly, entry.reference_labels),
        "slice_scores": numbers(anomaly.slice_scores),
        "slice_p_values": numbers(anomaly.slice_p_values),
        "most_suspicious": [
            {
                "index": index,
                "number": slice_number(scan, index),
                "position_mm": slice_position_mm(scan, index),
                "score": number(anomaly.slice_scores[index]),
            }
            for index in anomaly.most_suspicious(_MOST_SUSPICIOUS)
        ],
        "weights": numbers(anomaly.weights),
        "warnings": coded(anomaly.warnings),
        "files": list(entry.files),
    }


def channel_file(channel: MapChannel) -> str:
    """Returns how the file of a part of a map ends."""
    return f"anomaly_{channel.name}_{channel.side}.nii.gz"


def _file_of(channel: MapChannel, entry: ReportEntry) -> str | None:
    return next((name for name in entry.files if name.endswith(channel_file(channel))), None)


def _query(entry: ReportEntry) -> dict[str, Any]:
    scan = entry.scan
    examined = examined_windows(scan, entry.anomaly, entry.ct_windows)
    return {
        "label": entry.label,
        "modality": scan.modality or None,
        "photometric": scan.photometric.value,
        "plane": scan.plane.value if scan.plane else None,
        "grid": list(scan.grid),
        "spacing_mm": list(scan.spacing) if scan.has_geometry else None,
        "sides_known": scan.in_patient,
        "affine_lps": scan.affine.tolist() if scan.in_patient else None,
        "slice_axis": scan.slice_axis,
        "window_hu": list(entry.ct_window) if scan.modality == "CT" else None,
        "examined_windows_hu": [list(each) for each in examined] or None,
        "fingerprint": fingerprint(scan),
        "problems": coded(scan.problems),
    }


def fingerprint(scan: Scan) -> str:
    """Returns what tells the same scan from another: it is made of voxels and affine, of no identity."""
    digest = hashlib.sha256(str((scan.voxels.shape, scan.voxels.dtype.str)).encode())
    for array in (scan.affine, scan.voxels):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:_FINGERPRINT_DIGITS]


def _examined_region(anomaly: AnomalyMap) -> dict[str, Any]:
    region = anomaly.region
    if region is None:
        return dict.fromkeys(("text", "how", "volume_ml", "share", "references"))
    volume, share = maybe(region.volume_ml), number(region.share)
    return {
        "text": str(region),
        "how": region.how,
        "volume_ml": volume,
        "share": share,
        "references": list(region.references),
    }


def _examples(anomaly: AnomalyMap, labels: Sequence[str]) -> dict[str, Any]:
    found = anomaly.examples
    if found is None:
        return dict.fromkeys(("text", "labels", *(each.name for each in fields(ExampleEvidence))))
    places = {
        name: None if patch is None else list(patch.centre)
        for name, patch in (("place", found.place), ("example_place", found.example_place))
    }
    told = {"text": str(found), "labels": list(labels)}
    return {**told, **asdict(found), "nearest": found.nearest + 1, **places}


def share_above(anomaly: AnomalyMap, level: float) -> float | None:
    """Returns the share of what was examined at or above a level, 0 to 1; None if nothing was."""
    examined = anomaly.values[np.isfinite(anomaly.values)]
    return float((examined >= level).mean()) if examined.size else None


def _references(anomaly: AnomalyMap, labels: Sequence[str]) -> list[dict[str, Any]]:
    examined = np.isfinite(anomaly.weights).all(axis=(1, 2))
    shares = anomaly.weights[examined].mean(axis=(0, 2)) if examined.any() else None
    checks = {check.index: check for check in anomaly.reference_checks}
    return [
        {
            "label": label,
            "score": number(anomaly.reference_scores[at]),
            "slice_scores": numbers(anomaly.reference_slice_scores[at]),
            "mean_weight": None if shares is None else number(shares[at]),
            "outlier": number(checks[at].outlier) if at in checks else None,
            "flagged": checks[at].flagged if at in checks else None,
            "reason": (checks[at].reason or None) if at in checks else None,
        }
        for at, label in enumerate(labels)
    ]


def _region(scan: Scan, region: Region) -> dict[str, Any]:
    return {
        "number": region.number,
        "slices": [slice_number(scan, index) for index in region.slices],
        "slice_indices": list(region.slices),
        "n_voxels": region.n_voxels,
        "volume_mm3": maybe(region.volume_mm3),
        "area_mm2": maybe(region.area_mm2),
        "extent_mm": None if region.extent_mm is None else list(region.extent_mm),
        "peak": number(region.peak),
        "mean": number(region.mean),
        "p_value": number(region.p_value),
        "peak_index": list(region.peak_index),
        "centroid_index": list(region.centroid_index),
        "centroid_mm": None if region.centroid_mm is None else list(region.centroid_mm),
        "meaning": region.meaning or None,
        "direction": region.direction or None,
        "channel": region.channel or None,
        "amount": maybe(region.amount),
        "unit": region.unit or None,
        "spreads": maybe(region.spreads),
    }


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
