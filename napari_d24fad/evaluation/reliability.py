"""Whether stated error rates hold on normal scans that were not among the references."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from napari_d24fad.detection.calibration import RATES
from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoded import EncodedScan
from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.progress import CancelToken, Progress, silent


@dataclass(frozen=True, slots=True)
class Draw:
    """What one draw of references showed on the normal scans left over.

    Attributes:
        pixel_rates: Observed share of pixels at or above the level of each stated rate,
            mean over the scans.
        regions: Mean number of regions per scan at the level of one region.
        scan_p_values: Conformal p-value of each scan.
    """

    pixel_rates: tuple[float, ...]
    regions: float
    scan_p_values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Stated against observed rates of one task.

    Attributes:
        rates: The stated pixel false-positive rates.
        shots: References per draw.
        draws: What each draw showed.
    """

    rates: tuple[float, ...]
    shots: int
    draws: tuple[Draw, ...]

    @property
    def observed(self) -> tuple[float, ...]:
        """Observed pixel false-positive rates, mean over the draws."""
        return tuple(float(rate) for rate in np.mean([draw.pixel_rates for draw in self.draws], axis=0))

    @property
    def regions_per_scan(self) -> float:
        """Mean number of false regions per normal scan; at most one is stated."""
        return float(np.mean([draw.regions for draw in self.draws]))

    def scans_at_or_below(self, p_value: float) -> float:
        """Share of normal scans with a conformal p-value that low; should not exceed it."""
        values = np.concatenate([draw.scan_p_values for draw in self.draws])
        return float((values <= p_value + 1e-9).mean())


def reliability(
    detector: Detector,
    normals: Sequence[EncodedScan],
    shots: int = 8,
    draws: int = 5,
    seed: int = 0,
    rates: Sequence[float] = RATES,
    *,
    limit: int | None = None,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Reliability:
    """Draws references among normal scans and examines the normal scans left over.

    Args:
        detector: What encoded the scans.
        normals: Normal scans of one task, all different.
        shots: References per draw.
        draws: How often references are drawn.
        seed: The same seed draws the same references.
        rates: Pixel false-positive rates to check.
        limit: Examine at most so many scans per draw; None for all that are left.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        TrainingError: If no scan is left to examine.
        Cancelled: If a stop was asked for.
    """
    if len(normals) <= shots:
        raise TrainingError(Code.DATA_LAYOUT, f"More than {shots} normal scans are needed.")
    cancel = cancel or CancelToken()
    results = []
    for draw in range(draws):
        order = random.Random(seed + draw).sample(range(len(normals)), len(normals))
        references = detector.reference_set([normals[i] for i in order[:shots]], cancel=cancel)
        levels = [references.calibration.level(rate) for rate in rates]
        observed, regions, p_values = [], [], []
        queries = order[shots:][:limit]
        for done, index in enumerate(queries):
            result = detector.examine(normals[index], references, cancel=cancel)
            examined = result.values[np.isfinite(result.values)]
            observed.append([(examined >= level).mean() for level in levels])
            regions.append(len(result.regions))
            p_values.append(result.p_value)
            progress((draw + (done + 1) / len(queries)) / draws, f"Draw {draw + 1}")
        rates_seen = tuple(float(rate) for rate in np.mean(observed, axis=0))
        results.append(Draw(rates_seen, float(np.mean(regions)), tuple(p_values)))
    return Reliability(tuple(rates), shots, tuple(results))


def draw_reliability(tasks: Mapping[str, Reliability]) -> Figure:
    """Plots observed against stated pixel rates, each draw a point, and a factor of two as a band.

    Args:
        tasks: Results by the name of their task.
    """
    figure = Figure(figsize=(5, 4.5), layout="constrained")
    axes = figure.subplots()
    every = [rate for result in tasks.values() for rate in result.rates]
    ends = np.array([min(every) / 2, min(1.0, max(every) * 2)])
    axes.plot(ends, ends, color="black", linewidth=1)
    axes.fill_between(ends, ends / 2, ends * 2, color="0.9", label="factor of two")
    for number, (name, result) in enumerate(tasks.items()):
        colour = f"C{number}"
        axes.plot(result.rates, result.observed, "o-", color=colour, label=name)
        for draw in result.draws:
            axes.plot(result.rates, draw.pixel_rates, ".", color=colour, alpha=0.4)
    axes.set(
        xscale="log",
        xlabel="Stated share of normal pixels",
        ylabel="Observed on normal scans left out",
    )
    axes.set_yscale("symlog", linthresh=min(every) / 10)
    axes.legend(fontsize="small")
    return figure
