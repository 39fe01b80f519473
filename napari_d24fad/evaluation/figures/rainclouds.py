"""The raincloud figure: scores of normal and abnormal scans with learn-to-weight and without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from scipy.stats import gaussian_kde

from napari_d24fad.evaluation.figures.canvas import (
    ABNORMAL,
    NORMAL,
    figure_file,
    grid_of_axes,
    rows_and_columns,
)
from napari_d24fad.evaluation.weighting import WeightingScores
from napari_d24fad.metrics.scans import auroc

_CLOUD, _BOX, _RAIN = 0.32, 0.05, 0.10


def draw_rainclouds(path: Path, scores: Sequence[WeightingScores], shots: int) -> None:
    """Draws one panel per task: a density, quartiles and one dot per scan.

    Args:
        path: The PNG to write.
        scores: One entry per task.
        shots: Number of references, for the title.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    rows, columns = rows_and_columns(len(scores))
    with figure_file(path, max(5.6, 3.4 * columns + 0.6), 2.9 * rows + 1.1) as figure:
        for at, (axes, each) in enumerate(zip(grid_of_axes(figure, len(scores)), scores, strict=True)):
            _panel(axes, each, labelled=at % columns == 0)
        handles: list[Artist] = [
            Line2D([], [], marker="o", linestyle="", color=colour, label=label)
            for colour, label in ((NORMAL, "normal"), (ABNORMAL, "abnormal"))
        ]
        handles += [
            Line2D([], [], color="0.5", lw=3, label="quartiles"),
            Line2D([], [], marker="|", linestyle="", color="black", label="median"),
            Patch(color="0.5", alpha=0.35, label="density (equal heights)"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3 if columns == 1 else len(handles))
        figure.suptitle(
            f"Image scores of the published comparison\nwith and without learn-to-weight (L2W), "
            f"{shots} references, one draw",
            fontsize=10,
        )


def _panel(axes: Axes, scores: WeightingScores, *, labelled: bool) -> None:
    abnormal = np.array(scores.abnormal)
    for base, values in ((1.0, scores.learned), (0.0, scores.equal)):
        each = np.array(values)
        for group, colour in ((each[~abnormal], NORMAL), (each[abnormal], ABNORMAL)):
            draw_cloud(axes, group, base, colour)
        side = f"AUROC {auroc(values, scores.abnormal):.2f}"
        axes.text(0.99, base + 0.30, side, transform=axes.get_yaxis_transform(), ha="right", fontsize=8)
    axes.set_title(f"{scores.task} ({int((~abnormal).sum())} normal, {int(abnormal.sum())} abnormal)")
    axes.set_yticks([1.0, 0.0], ["with L2W", "equal\nweights"] if labelled else ["", ""])
    axes.set_ylim(-0.42, 1.45)
    axes.set_xlabel("image score")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(axis="y", length=0)


def draw_cloud(axes: Axes, values: npt.NDArray[np.float64], base: float, colour: str) -> None:
    """Density above the base line, box on it, dots below; normal and abnormal share the place."""
    lower = 0.0 if colour == NORMAL else _RAIN + 0.02
    if len(values) > 2 and np.ptp(values) > 0:
        along = np.linspace(values.min(), values.max(), 200)
        density = gaussian_kde(values)(along)
        top = base + _CLOUD * density / density.max()
        axes.fill_between(along, base, top, color=colour, alpha=0.35, lw=0)
    low, middle, high = np.percentile(values, [25, 50, 75])
    level = base - _BOX - lower
    axes.plot([low, high], [level, level], color=colour, lw=3, solid_capstyle="butt")
    axes.plot([middle], [level], marker="|", color="black", markersize=7, zorder=3)
    jitter = np.random.default_rng(0).uniform(-0.025, 0.025, len(values))
    axes.plot(values, level - 0.05 + jitter, ".", color=colour, markersize=2, alpha=0.5, zorder=1)
