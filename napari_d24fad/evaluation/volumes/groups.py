"""Figures of implanted lesions, for each kind and size."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from napari_d24fad.evaluation.volumes.run import DrawResult, Queried
from napari_d24fad.metrics.cohort import froc_curves, scan_auroc

_SHOWN = ("scan", "scan, by region")


def kind_figures(result: DrawResult) -> dict[tuple[str, str], dict[str, float]]:
    """Returns figures by kind and size of the implanted lesions.

    False regions are those of the scans without a lesion, the same for all kinds.

    Args:
        result: Of one method with one draw.

    Returns:
        By ``(kind, size)``, with an empty size for all of a kind: how many there are, sensitivity
        at each rate and its mean, scan AUROC against the scans without a lesion, and the share of
        scans whose score rises above that of the same scan without the lesion; for a kind, also
        the voxel AUROC.
    """
    clean = [each for each in result.queried if not each.measured.abnormal]
    before = {each.index: each.measured.score for each in clean}
    implanted = [each for each in result.queried if each.kind]
    found: dict[tuple[str, str], dict[str, float]] = {}
    for kind in dict.fromkeys(each.kind for each in implanted):
        own = [each for each in implanted if each.kind == kind]
        found[kind, ""] = _figures(clean, own, before) | {"voxel AUROC": result.voxel_auroc[kind]}
        for size in sorted({each.size for each in own}, key=_first_number):
            found[kind, size] = _figures(clean, [each for each in own if each.size == size], before)
    return found


def _first_number(size: str) -> int:
    """The smallest length that a size names, as sizes are listed by."""
    return int(next(iter(re.findall(r"\d+", size)), 0))


def _figures(
    clean: Sequence[Queried], implanted: Sequence[Queried], before: dict[int, float]
) -> dict[str, float]:
    measured = [each.measured for each in (*clean, *implanted)]
    figures = {"lesions": float(len(implanted)), "scan AUROC": scan_auroc(measured)}
    rises = [each.measured.score > before[each.index] for each in implanted if each.index in before]
    figures["score rises"] = float(np.mean(rises)) if rises else float("nan")
    curves = froc_curves(measured)
    for name in _SHOWN:
        ending = name.removeprefix("scan")
        for rate, share in zip(curves[name].rates, curves[name].sensitivity, strict=True):
            figures[f"sensitivity{ending} at {rate:g}"] = share
        figures[f"sensitivity{ending}, mean"] = curves[name].mean
    return figures
