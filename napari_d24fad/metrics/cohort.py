"""Figures over the volumes of a set: from what was found in each scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from napari_d24fad.metrics.froc import RATES, Froc, froc
from napari_d24fad.metrics.volumes import Found, LesionFound


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One scan of a set by one method.

    Attributes:
        abnormal: Its label.
        score: Higher is more abnormal; -inf if the method refused the scan.
        p_value: Conformal p-value; NaN if there is none.
        seconds: Time of the examination on the clock.
        cpu_seconds: Time of the processor, all its cores together: what other programs on the
            machine do not change.
        found: What its map tells.
    """

    abnormal: bool
    score: float
    p_value: float
    seconds: float
    cpu_seconds: float
    found: Found = field(repr=False)


def scan_auroc(measured: Sequence[Measured]) -> float:
    """Area under the ROC curve of the scan scores; NaN unless both labels occur."""
    labels = [each.abnormal for each in measured]
    if len(set(labels)) < 2:
        return float("nan")
    ranks = np.unique([each.score for each in measured], return_inverse=True)[1]
    return float(roc_auc_score(labels, ranks))


def froc_curves(measured: Sequence[Measured], rates: Sequence[float] = RATES) -> dict[str, Froc]:
    """Returns sensitivity at rates of false regions per normal scan.

    By ``"scan"``: a scan is found if any of its lesions is; by ``"lesion"``: each connected lesion of
    at least `LEAST_LESION_ML` counts. What is ranked is the peaks of the map; with ``", by region"`` it
    is the regions that the method lists, by mass.

    Args:
        measured: At least one scan is normal.
        rates: Where to measure.
    """
    normal = [each.found for each in measured if not each.abnormal]
    peaks = [each.peaks for each in normal]
    masses: list[npt.NDArray[np.float64]] = [np.array(each.masses, np.float64) for each in normal]
    lesions = _lesions(measured)
    each_by_peak = [at for lesion in lesions for at in lesion.each_by_peak]
    each_by_region = [at for lesion in lesions for at in lesion.each_by_region]
    return {
        "scan": froc(peaks, [lesion.by_peak for lesion in lesions], rates),
        "lesion": froc(peaks, each_by_peak, rates),
        "scan, by region": froc(masses, [lesion.by_region for lesion in lesions], rates),
        "lesion, by region": froc(masses, each_by_region, rates),
    }


def volume_figures(measured: Sequence[Measured], references: int) -> dict[str, float]:
    """Returns the figures of a set by name; NaN where nothing can be measured.

    Args:
        measured: Its scans by one method with one set of references; at least one is normal.
        references: How many references there were.
    """
    lesions = _lesions(measured)
    normal = [each for each in measured if not each.abnormal]
    told = np.array([each.found.n_told for each in normal], float)
    coloured = sum(each.found.coloured for each in measured)
    outside = sum(each.found.coloured_outside for each in measured)
    figures = {
        "scan AUROC": scan_auroc(measured),
        "slice AUROC": _mean([each.slice_auroc for each in lesions]),
        "top slice holds lesion": _mean([each.first_slice for each in lesions]),
        "slice by chance": _mean([each.slices for each in lesions]),
        "highest point in lesion": _mean([each.first_peak for each in lesions]),
        "top region in lesion": _mean([each.first_region for each in lesions]),
        "median Dice at own level": _median([each.dice for each in lesions]),
        "regions per normal scan": _mean(told),
        "normal scans without region": _mean(told == 0),
        "most regions of a normal scan": float(told.max()),
        "coloured outside anatomy": outside / coloured if coloured else float("nan"),
        "lesion inside anatomy": _mean([each.inside for each in lesions]),
        "seconds per scan": _median([each.seconds for each in measured]),
        "CPU seconds per scan": _median([each.cpu_seconds for each in measured]),
        "mean p of normal scans": _mean([each.p_value for each in normal]),
        "normal scans at smallest p": smallest_p_share(measured, references),
    }
    for name, curve in froc_curves(measured).items():
        for rate, share in zip(curve.rates, curve.sensitivity, strict=True):
            figures[f"{name} sensitivity at {rate:g}"] = share
        figures[f"{name} sensitivity, mean"] = curve.mean
    return figures


def smallest_p_share(measured: Sequence[Measured], references: int) -> float:
    """Share of normal scans with the smallest p-value that ``references`` references can show.

    With exchangeable scans it is expected to be at most ``1 / (references + 1)``.
    """
    smallest = 1 / (references + 1)
    known = _known([each.p_value for each in measured if not each.abnormal])
    return float(np.mean(known <= smallest * (1 + 1e-9))) if len(known) else float("nan")


def _lesions(measured: Sequence[Measured]) -> list[LesionFound]:
    return [each.found.lesion for each in measured if each.found.lesion is not None]


def _known(values: Sequence[float] | npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    return array[~np.isnan(array)]


def _mean(values: Sequence[float] | npt.NDArray[np.generic]) -> float:
    known = _known(values)
    return float(known.mean()) if len(known) else float("nan")


def _median(values: Sequence[float]) -> float:
    known = _known(values)
    return float(np.median(known)) if len(known) else float("nan")
