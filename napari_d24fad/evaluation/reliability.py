"""Whether stated error rates hold on normal scans that were not among the references."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import MAX_LEVELS, EncodedScan
from napari_d24fad.detection.references.calibration import RATES
from napari_d24fad.evaluation.draws import split
from napari_d24fad.evaluation.figures.canvas import ABNORMAL, NORMAL, figure_file
from napari_d24fad.evaluation.labelled import LabelledScan
from napari_d24fad.progress import CancelToken, Progress, silent

_LOWEST = 0.01
"""Share of the lowest stated rate that the axes begin at."""


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
    scans: Sequence[LabelledScan] | None = None,
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
        scans: What is known of each normal scan: whether it may be a reference, or examined, and
            whose it is. None if each may serve as either.
        limit: Examine at most so many scans per draw; None for all that are left.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        TrainingError: DATA_LAYOUT if there are too few scans.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    results = []
    for draw in range(draws):
        order = random.Random(seed + draw).sample(range(len(normals)), len(normals))
        chosen, queries = split(order, shots, scans)
        queries = queries[:limit]
        known = [normals[index].at_most(MAX_LEVELS) for index in chosen]
        references = detector.reference_set(known, cancel=cancel)
        levels = [references.calibration.level(rate) for rate in rates]
        observed, regions, p_values = [], [], []
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


def draw_reliability(path: Path, tasks: Mapping[str, Reliability]) -> None:
    """Draws observed pixel rates, one panel per stated rate: draws as dots, their mean as a line.

    Args:
        path: The PNG to write.
        tasks: Results by the name of their task, of the same rates.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    rates = next(iter(tasks.values())).rates
    # Never narrower than the heading.
    with figure_file(path, max(8.0, 1.6 + len(rates) * (0.8 + 0.5 * len(tasks))), 3.6) as figure:
        for axes, rate in zip(figure.subplots(1, len(rates), squeeze=False).flat, rates, strict=True):
            _draw_rate(axes, rate, tasks)
        figure.suptitle(
            "Share of the pixels of normal scans above the level of a stated rate\n"
            "dot: one draw of references (triangle: below the axis), line: mean of the draws, "
            "band: factor of two",
            fontsize=9,
        )


def _draw_rate(axes: Axes, rate: float, tasks: Mapping[str, Reliability]) -> None:
    lowest = min(next(iter(tasks.values())).rates) * _LOWEST
    axes.axhspan(rate / 2, rate * 2, color="0.9", linewidth=0)
    axes.axhline(rate, color="black", linewidth=0.8)
    for place, result in enumerate(tasks.values()):
        at = result.rates.index(rate)
        seen = np.array([draw.pixel_rates[at] for draw in result.draws])
        spread = place + np.linspace(-0.25, 0.25, len(seen) + 2)[1:-1]
        low = seen < lowest
        axes.plot(spread[~low], seen[~low], ".", color=NORMAL, alpha=0.6, markeredgewidth=0)
        axes.plot(spread[low], np.full(low.sum(), lowest), "v", color=NORMAL, alpha=0.6, markersize=4)
        axes.hlines(result.observed[at], place - 0.35, place + 0.35, color=ABNORMAL, linewidth=2)
    axes.set(
        title=f"stated: {100 * rate:g} %",
        yscale="log",
        ylim=(lowest * 0.8, 1),
        ylabel="observed",
        xlim=(-0.6, len(tasks) - 0.4),
    )
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
    axes.set_xticks(range(len(tasks)), list(tasks), rotation=35, ha="right")
