"""Figures over the volumes of a set: from what was found in each scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from napari_d24fad.metrics.froc import RATES, Froc, froc
from napari_d24fad.metrics.volumes import Found


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One scan of a set by one method.

    Attributes:
        abnormal: Its label.
        score: Higher is more abnormal; -inf if the method refused the scan.
        p_value: Conformal p-value; NaN if there is none.
        seconds: Time of the examination.
        found: What its map tells.
    """

    abnormal: bool
    score: float
    p_value: float
    seconds: float
    found: Found = field(repr=False)


def scan_auroc(measured: Sequence[Measured]) -> float:
    """Area under the ROC curve of the scan scores; NaN unless both labels occur."""
    labels = [each.abnormal for each in measured]
    if len(set(labels)) < 2:
        return float("nan")
    ranks = np.unique([each.score for each in measured], return_inverse=True)[1]
    return float(roc_auc_score(labels, ranks))


def scan_froc(measured: Sequence[Measured], rates: Sequence[float] = RATES) -> Froc:
    """Sensitivity for scans: a scan is found if any of its lesion is."""
    return froc(_false(measured), [each.found.lesion_at for each in _outlined(measured)], rates)


def lesion_froc(measured: Sequence[Measured], rates: Sequence[float] = RATES) -> Froc:
    """Sensitivity for single lesions of at least `LEAST_LESION_ML`."""
    lesions = [at for each in _outlined(measured) for at in each.found.lesions_at]
    return froc(_false(measured), lesions, rates)


def volume_figures(measured: Sequence[Measured], references: int) -> dict[str, float]:
    """Returns the figures of a set by name; NaN where nothing can be measured.

    Args:
        measured: Its scans by one method with one set of references; at least one is normal.
        references: How many references there were.
    """
    outlined = [each.found for each in _outlined(measured)]
    normal = [each for each in measured if not each.abnormal]
    regions = np.array([each.found.n_regions for each in normal], float)
    scans, lesions = scan_froc(measured), lesion_froc(measured)
    figures = {
        "scan AUROC": scan_auroc(measured),
        "slice AUROC": _mean([each.slice_auroc for each in outlined]),
        "top slice holds lesion": _mean([each.top_slice_in_lesion for each in outlined]),
        "slice by chance": _mean([each.lesion_slices for each in outlined]),
        "highest point in lesion": _mean([each.peak_in_lesion for each in outlined]),
        "top region in lesion": _mean([each.region_in_lesion for each in outlined]),
        "median Dice at own level": _median([each.dice for each in outlined]),
        "regions per normal scan": _mean(regions),
        "normal scans without region": _mean(regions == 0),
        "most regions of a normal scan": float(regions.max()),
        "coloured outside anatomy": _share(
            [each.found.coloured_outside for each in measured], [each.found.coloured for each in measured]
        ),
        "lesion inside anatomy": _mean([each.lesion_inside for each in outlined]),
        "seconds per scan": _median([each.seconds for each in measured]),
        "mean p of normal scans": _mean([each.p_value for each in normal]),
        "normal scans at smallest p": smallest_p_share(measured, references),
    }
    for name, curve in (("scan", scans), ("lesion", lesions)):
        for rate, share in zip(curve.rates, curve.sensitivity, strict=True):
            figures[f"{name} sensitivity at {rate:g}"] = share
        figures[f"mean {name} sensitivity"] = curve.mean
    return figures


def smallest_p_share(measured: Sequence[Measured], references: int) -> float:
    """Share of normal scans with the smallest p-value that ``references`` references can show.

    With exchangeable scans it is expected to be ``1 / (references + 1)``.
    """
    smallest = 1 / (references + 1)
    values = np.array([each.p_value for each in measured if not each.abnormal])
    known = values[~np.isnan(values)]
    return float(np.mean(known <= smallest * (1 + 1e-9))) if len(known) else float("nan")


def _outlined(measured: Sequence[Measured]) -> list[Measured]:
    return [each for each in measured if each.found.has_lesion]


def _false(measured: Sequence[Measured]) -> list[npt.NDArray[np.float64]]:
    return [each.found.peaks for each in measured if not each.abnormal]


def _known(values: Sequence[float] | npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    return array[~np.isnan(array)]


def _mean(values: Sequence[float] | npt.NDArray[np.generic]) -> float:
    known = _known(values)
    return float(known.mean()) if len(known) else float("nan")


def _median(values: Sequence[float]) -> float:
    known = _known(values)
    return float(np.median(known)) if len(known) else float("nan")


def _share(part: Sequence[int], whole: Sequence[int]) -> float:
    return sum(part) / sum(whole) if sum(whole) else float("nan")
