"""The report: what was examined with what, and every number that came out, as strict JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_d24fad import __version__
from napari_d24fad.atomic import atomic_file
from napari_d24fad.detection.intensity import CT_WINDOW
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.export.anatomy import slice_number, slice_position_mm
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.studies.scan import Scan

SCHEMA = "d24fad-report/1"
"""Named in every report. The number grows when a key changes its meaning or goes away."""

_LIBRARIES = ("torch", "numpy", "scipy", "monai", "pydicom", "highdicom", "nibabel", "napari")
_MOST_SUSPICIOUS = 10


@dataclass(frozen=True, slots=True)
class Examination:
    """A scan, what it is called, and what was found in it.

    Attributes:
        scan: The scan that was examined.
        label: What it is, without identity, such as the label of its series.
        anomaly: What was found.
        ct_window: Low and high HU that became black and white, for CT.
        files: Names of the files written for it, without folder.
    """

    scan: Scan
    label: str
    anomaly: AnomalyMap
    ct_window: tuple[float, float] = CT_WINDOW
    files: tuple[str, ...] = field(default=(), repr=False)


def build_report(examinations: Sequence[Examination]) -> dict[str, Any]:
    """Collects all there is to report; every key is explained in docs/report-schema.md.

    Holds no name, ID, date or path. Numbers that do not exist (a slice that was not
    examined) are None, never NaN.

    Args:
        examinations: In the order they were asked for.
    """
    return {
        "schema": SCHEMA,
        "notice": NOTICE,
        "tool": {"name": "napari-d24fad", "version": __version__},
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _LIBRARIES},
        "results": [_result(examination) for examination in examinations],
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


def _result(examination: Examination) -> dict[str, Any]:
    scan, anomaly = examination.scan, examination.anomaly
    return {
        "query": _query(examination),
        "model": {"name": anomaly.model_name, "sha256": anomaly.model_sha256},
        "scoring": anomaly.scoring,
        "device": anomaly.device,
        "seconds": round(anomaly.seconds, 3),
        "score": _number(anomaly.score),
        "normal_level": _number(anomaly.normal_level),
        "above_normal": _share_above_normal(anomaly),
        "references": _references(anomaly),
        "slice_scores": _numbers(anomaly.slice_scores),
        "most_suspicious": [
            {
                "index": index,
                "number": slice_number(scan, index),
                "position_mm": slice_position_mm(scan, index),
                "score": _number(anomaly.slice_scores[index]),
            }
            for index in anomaly.most_suspicious(_MOST_SUSPICIOUS)
        ],
        "weights": _numbers(anomaly.weights),
        "warnings": list(anomaly.warnings),
        "files": list(examination.files),
    }


def _query(examination: Examination) -> dict[str, Any]:
    scan = examination.scan
    return {
        "label": examination.label,
        "modality": scan.modality or None,
        "photometric": scan.photometric.value,
        "plane": scan.plane.value if scan.plane else None,
        "grid": list(scan.grid),
        "spacing_mm": list(scan.spacing) if scan.has_geometry else None,
        "affine_lps": scan.affine.tolist() if scan.has_geometry else None,
        "slice_axis": scan.slice_axis,
        "window_hu": list(examination.ct_window) if scan.modality == "CT" else None,
        "problems": [{"code": problem.code.code, "text": str(problem)} for problem in scan.problems],
    }


def _share_above_normal(anomaly: AnomalyMap) -> float | None:
    examined = anomaly.values[np.isfinite(anomaly.values)]
    return float((examined >= anomaly.normal_level).mean()) if examined.size else None


def _references(anomaly: AnomalyMap) -> list[dict[str, Any]]:
    examined = np.isfinite(anomaly.weights).all(axis=(1, 2))
    shares = anomaly.weights[examined].mean(axis=(0, 2)) if examined.any() else None
    return [
        {
            "label": label,
            "score": _number(anomaly.reference_scores[at]),
            "slice_scores": _numbers(anomaly.reference_slice_scores[at]),
            "mean_weight": None if shares is None else _number(shares[at]),
        }
        for at, label in enumerate(anomaly.reference_labels)
    ]


def _number(value: float | np.floating[Any]) -> float | None:
    # The shortest text that reads back as the same number, also for single precision.
    return float(str(value)) if np.isfinite(value) else None


def _numbers(array: npt.NDArray[np.floating[Any]]) -> list[Any]:
    if array.ndim == 1:
        return [_number(value) for value in array]
    return [_numbers(row) for row in array]


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
