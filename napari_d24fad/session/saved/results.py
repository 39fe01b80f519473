"""Results and findings as a session keeps them: numbers and words as JSON, arrays beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_d24fad.detection.references.calibration import Calibration
from napari_d24fad.detection.references.regions import Region
from napari_d24fad.detection.result import AnomalyMap, MapBeside
from napari_d24fad.findings.finding import Finding, Mask
from napari_d24fad.findings.findings import Findings
from napari_d24fad.session.arrays import Array
from napari_d24fad.session.request import Examination
from napari_d24fad.session.saved.document import (
    SavedBeside,
    SavedFinding,
    SavedFindings,
    SavedMask,
    SavedResult,
)
from napari_d24fad.session.saved.scans import UNREAD, problems_of, save_problems
from napari_d24fad.studies.scan import Scan

_OF_MAP = (
    "values", "slice_scores", "weights", "reference_scores", "reference_slice_scores", "slice_p_values",
)  # fmt: skip
_OF_CALIBRATION = ("values", "tail", "peaks")
_AXES = {"values": 3, "weights": 3, "reference_slice_scores": 2}  # one for all others


def save_result(examination: Examination, name: str, arrays: dict[str, Array]) -> SavedResult:
    """Takes a result apart.

    Args:
        examination: What was found.
        name: What the names of its arrays begin with.
        arrays: Takes them.
    """
    anomaly, scan = examination.anomaly, examination.scan
    arrays |= {f"{name} {each}": getattr(anomaly, each) for each in _OF_MAP}
    known = anomaly.calibration
    if known is not None:
        arrays |= {f"{name} calibration {each}": getattr(known, each) for each in _OF_CALIBRATION}
    return SavedResult(
        arrays=name,
        limits=examination.limits,
        slice_axis=anomaly.slice_axis,
        score=float(anomaly.score),
        normal_level=float(anomaly.normal_level),
        scoring=anomaly.scoring,
        model_name=anomaly.model_name,
        model_sha256=anomaly.model_sha256,
        device=anomaly.device,
        seconds=anomaly.seconds,
        warnings=save_problems(anomaly.warnings),
        p_value=float(anomaly.p_value),
        p_floor=float(anomaly.p_floor),
        level_one_region=float(anomaly.level_one_region),
        levels_by_rate=tuple((rate, float(level)) for rate, level in anomaly.levels_by_rate.items()),
        regions=anomaly.regions,
        reference_checks=anomaly.reference_checks,
        calibrated_level=None if known is None else float(known.level_one_region),
        direction=anomaly.direction,
        anatomy=anomaly.anatomy,
        plan=anomaly.plan,
        channels=anomaly.channels,
        region=anomaly.region,
        beside=tuple(
            SavedBeside(each.plan, each.score, each.p_value, each.level_one_region, each.regions)
            for each in anomaly.beside
        ),
        examples=anomaly.examples,
        pixels_sha256="" if scan.pixels_hash == UNREAD else scan.content_hash(),
    )


def anomaly_of(saved: SavedResult, scan: Scan, arrays: Mapping[str, Array]) -> AnomalyMap:
    """Puts a result together again.

    Args:
        saved: What `save_result` returned.
        scan: The outline of the scan.
        arrays: As it left them.

    Raises:
        ValueError: Its parts do not fit each other, or the scan.
        KeyError: An array is missing, or it has a code that this version does not know.
    """
    own: dict[str, Any] = {}
    for name in _OF_MAP:
        own[name] = arrays[f"{saved.arrays} {name}"]
        if own[name].dtype != np.float32 or own[name].ndim != _AXES.get(name, 1):
            raise ValueError("An array of the map is of another kind.")
    slices, references = scan.n_slices, len(own["reference_scores"])
    sizes = {
        own["values"].shape == scan.grid,
        saved.slice_axis == scan.slice_axis,
        len(own["slice_scores"]) == len(own["weights"]) == slices,
        len(own["slice_p_values"]) in (0, slices),
        own["weights"].shape[1] == len(own["reference_slice_scores"]) == references,
        all(0 <= check.index < references for check in saved.reference_checks),
    }
    if sizes != {True}:
        raise ValueError("The map does not fit the scan.")
    beside = tuple(
        MapBeside(each.plan, each.score, each.p_value, each.level_one_region, _regions(each.regions, scan))
        for each in saved.beside
    )
    return AnomalyMap(
        **own,
        affine=np.array(scan.affine),
        slice_axis=saved.slice_axis,
        score=saved.score,
        normal_level=saved.normal_level,
        scoring=saved.scoring,
        model_name=saved.model_name,
        model_sha256=saved.model_sha256,
        device=saved.device,
        seconds=saved.seconds,
        warnings=problems_of(saved.warnings),
        p_value=saved.p_value,
        p_floor=saved.p_floor,
        level_one_region=saved.level_one_region,
        levels_by_rate=dict(saved.levels_by_rate),
        regions=_regions(saved.regions, scan),
        reference_checks=saved.reference_checks,
        calibration=_calibration(saved, arrays),
        direction=saved.direction,
        anatomy=saved.anatomy,
        plan=saved.plan,
        channels=saved.channels,
        region=saved.region,
        beside=beside,
        examples=saved.examples,
    )


def save_findings(findings: Findings, name: str, arrays: dict[str, Array]) -> SavedFindings:
    """Takes findings apart; `arrays` takes their masks, whose names begin with ``name``."""
    listed = []
    for each in findings:
        mask = None
        if each.mask is not None:
            mask = SavedMask(each.mask.corner, f"{name} finding {each.number}")
            arrays[mask.array] = each.mask.voxels
        listed.append(
            SavedFinding(
                each.number,
                each.region,
                each.by_hand,
                each.beside,
                each.side,
                each.slice_index,
                each.diameters_mm,
                mask,
                each.verdict,
                each.label,
                each.note,
            )
        )
    return SavedFindings(tuple(listed), findings.measurements, findings.labels, findings.next_number)


def findings_from(saved: SavedFindings, scan: Scan, arrays: Mapping[str, Array]) -> Findings:
    """Puts findings together again.

    Raises:
        ValueError: They do not fit each other, or the scan.
        KeyError: An array is missing.
    """
    listed = []
    for each in saved.listed:
        _regions((each.region,), scan)
        mask = None if each.mask is None else _mask(each.mask, scan, arrays)
        if not 0 <= each.slice_index < scan.n_slices:
            raise ValueError("A finding lies outside of the scan.")
        listed.append(
            Finding(
                each.number,
                each.region,
                each.by_hand,
                each.beside,
                each.side,
                each.slice_index,
                each.diameters_mm,
                mask,
                each.verdict,
                each.label,
                each.note,
            )
        )
    numbers = [each.number for each in listed]
    if len(set(numbers)) < len(numbers) or max(numbers, default=0) >= saved.next_number:
        raise ValueError("Two findings have one number.")
    return Findings(tuple(listed), saved.measurements, saved.labels, saved.next_number)


def _calibration(saved: SavedResult, arrays: Mapping[str, Array]) -> Calibration | None:
    if saved.calibrated_level is None:
        return None
    values, tail, peaks = (arrays[f"{saved.arrays} calibration {each}"] for each in _OF_CALIBRATION)
    if {each.dtype.kind for each in (values, tail, peaks)} != {"f"} or not values.shape == tail.shape:
        raise ValueError("The calibration is of another kind.")
    return Calibration(values, tail, saved.calibrated_level, peaks)


def _regions(regions: tuple[Region, ...], scan: Scan) -> tuple[Region, ...]:
    for each in regions:
        inside = (0 <= at < size for at, size in zip(each.peak_index, scan.grid, strict=True))
        slices = (0 <= at < scan.n_slices for at in each.slices)
        if not all((*inside, *slices)):
            raise ValueError("A region lies outside of the scan.")
    return regions


def _mask(saved: SavedMask, scan: Scan, arrays: Mapping[str, Array]) -> Mask:
    voxels = arrays[saved.array]
    if voxels.dtype != bool or voxels.ndim != 3 or not voxels.any():
        raise ValueError("A finding has no voxels.")
    ends = zip(saved.corner, voxels.shape, scan.grid, strict=True)
    if not all(corner >= 0 and corner + size <= most for corner, size, most in ends):
        raise ValueError("A finding lies outside of the scan.")
    return Mask(saved.corner, voxels)
