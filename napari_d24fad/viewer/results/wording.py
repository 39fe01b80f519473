"""Results in plain words: p-values that say what few references can tell."""

from __future__ import annotations

import numpy as np

from napari_d24fad.detection.result import AnomalyMap, MapBeside
from napari_d24fad.findings.words import LIKE_THE_REFERENCES


def p_text(p_value: float, floor: float) -> str:
    """Writes a conformal p-value with two digits, never below what the references can give.

    Args:
        p_value: Of a scan, a slice or a region.
        floor: 1 / (K + 1) for K references.
    """
    return f"{max(p_value, floor):.2g}"


def is_at_floor(p_value: float, floor: float) -> bool:
    """Whether no smaller p-value was possible."""
    return p_value <= floor * (1 + 1e-6)


def scan_statement(anomaly: AnomalyMap) -> str:
    """Says how unusual a scan is beside its references, and how little few references can tell."""
    normal = anomaly.reference_scores
    count = normal.size
    p = f"p = {p_text(anomaly.p_value, anomaly.p_floor)}"
    if is_at_floor(anomaly.p_value, anomaly.p_floor):
        told = (
            f"{p}, the smallest that {count} references can give (1 in {count + 1}): "
            "none of them scores as high as this scan."
        )
    else:
        reached = int((normal >= anomaly.score).sum())
        told = f"{p}: {reached} of the {count} normal references score as high as this scan or higher."
        if reached == count:
            told = f"{p}: {LIKE_THE_REFERENCES}."
    span = f"{normal.min():.3g} to {normal.max():.3g}"
    where = f" {anomaly.region}" if anomaly.region is not None else ""
    beside = "".join(f" {_beside_statement(each, anomaly.p_floor)}" for each in anomaly.beside)
    score = f"Score {anomaly.score:.3g}; references {span}, each examined against the others."
    return f"{told} {score}{where}{beside}"


def examples_statement(anomaly: AnomalyMap) -> str:
    """Says what abnormal examples changed, and how many of them would have been found; empty without any."""
    evidence = anomaly.examples
    if evidence is None:
        return ""
    count, found = len(evidence.found), sum(evidence.found)
    with_them = f"With {count} abnormal example{'' if count == 1 else 's'}"
    if evidence.alike:
        kind = f" ({evidence.kind})" if evidence.kind else ""
        told = (
            f"{with_them}: most like example {evidence.nearest + 1}{kind}. Score {anomaly.score:.3g}, "
            f"without {'it' if count == 1 else 'them'} {evidence.plain_score:.3g}."
        )
    else:
        told = (
            f"{with_them}: no more like {'it' if count == 1 else 'them'} than normal scans are, same score."
        )
    if count == 1:
        return f"{told} The example would {'' if found else 'not '}have been found by the references alone."
    missed = ", ".join(str(at + 1) for at, each in enumerate(evidence.found) if not each)
    which = f" (not {missed})" if missed and found else ""
    return f"{told} {found} of {count} examples would have been found by the others{which}."


def _beside_statement(beside: MapBeside, floor: float) -> str:
    count = len(beside.regions)
    found = {0: "no region", 1: "1 region"}.get(count, f"{count} regions")
    return f"Map of {beside.plan}, beside it: p = {p_text(beside.p_value, floor)}, {found}."


def slice_line(position: int, score: float, p_value: float, floor: float, normal: float | None) -> str:
    """Describes one slice in a line.

    Args:
        position: Counted from 0 in the order of the slider.
        score: Its score.
        p_value: Its conformal p-value.
        floor: 1 / (K + 1) for K references.
        normal: The highest score of any reference slice; None if there is none.
    """
    above = ", above every normal slice" if normal is not None and score > normal else ""
    return f"Slice {position + 1}: p {p_text(p_value, floor)}, score {score:.3g}{above}"


def slices_text(first: int, last: int) -> str:
    """Writes a range of slices, counted from 1.

    Args:
        first: First slice, from 0 in the order of the slider.
        last: Last slice, alike; may come before the first.
    """
    low, high = sorted((first + 1, last + 1))
    return str(low) if low == high else f"{low}–{high}"


def highest_normal_slice(anomaly: AnomalyMap) -> float | None:
    """Returns the highest slice score of any reference held against the others; None if there is none."""
    finite = anomaly.reference_slice_scores[np.isfinite(anomaly.reference_slice_scores)]
    return float(finite.max()) if finite.size else None
