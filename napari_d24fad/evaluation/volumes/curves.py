"""FROC curves of the methods, as they are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_d24fad.evaluation.volumes.run import DrawResult
from napari_d24fad.metrics.cohort import Measured, froc_curves

RATES = tuple(float(rate) for rate in np.geomspace(1 / 8, 8, 49))
"""False regions per normal scan that curves are drawn at."""

_PANELS = {"scan": "any lesion of a scan", "lesion": "each lesion of 0.1 ml or more"}

Curves = dict[str, dict[str, list[float]]]


def panels(draws: Sequence[DrawResult]) -> Curves:
    """Returns the curves of the peaks of the maps, means over the draws.

    Args:
        draws: Of all methods with one number of references.

    Returns:
        By the title of a panel and the name of a method. Without implanted lesions there are panels for
        scans and for single lesions, with them one for each kind.
    """
    kinds = list(dict.fromkeys(each.kind for each in draws[0].queried if each.kind))
    wanted = [(kind, kind, "scan") for kind in kinds] or [("", text, key) for key, text in _PANELS.items()]
    methods = list(dict.fromkeys(each.method for each in draws))
    found: Curves = {}
    for kind, text, key in wanted:
        found[text] = {}
        for method in methods:
            own = [_measured(each, kind) for each in draws if each.method == method]
            curves = [froc_curves(measured, RATES)[key].sensitivity for measured in own]
            found[text][method] = np.mean(curves, axis=0).tolist()
    return found


def _measured(result: DrawResult, kind: str) -> list[Measured]:
    """The scans without a lesion, and those with one of a kind."""
    return [each.measured for each in result.queried if not each.measured.abnormal or each.kind == kind]
