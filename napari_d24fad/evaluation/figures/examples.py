"""What abnormal examples gain: a curve over their number, and the scores of one draw as rainclouds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from napari_d24fad.evaluation.figures.canvas import (
    ABNORMAL,
    NORMAL,
    figure_file,
    grid_of_axes,
    rows_and_columns,
)
from napari_d24fad.evaluation.figures.rainclouds import draw_cloud
from napari_d24fad.metrics.scans import auroc


@dataclass(frozen=True, slots=True)
class ExampleScores:
    """What one method gave on one task with each number of abnormal examples.

    Attributes:
        task: Name of the task.
        counts: Numbers of examples, ascending.
        aurocs: By the name of a method, for each number of examples the AUROC of every draw; empty where
            the method needs an example.
        scores: For each number of examples the scores of the queries of the first draw.
        abnormal: Labels of these queries.
    """

    task: str
    counts: tuple[int, ...]
    aurocs: Mapping[str, Sequence[Sequence[float]]]
    scores: tuple[tuple[float, ...], ...] = field(repr=False)
    abnormal: tuple[bool, ...] = field(repr=False)


def draw_examples(path: Path, tasks: Sequence[ExampleScores], shots: int) -> None:
    """Draws the AUROC over the number of examples: the range of the draws, and their mean.

    Args:
        path: The PNG to write.
        tasks: One entry per task.
        shots: Number of references, for the title.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    rows, columns = rows_and_columns(len(tasks))
    with figure_file(path, max(4.6, 2.9 * columns), 2.5 * rows + 0.9) as figure:
        axes = grid_of_axes(figure, len(tasks))
        for axis, each in zip(axes, tasks, strict=True):
            places = range(len(each.counts))
            for number, (method, draws) in enumerate(each.aurocs.items()):
                known = [at for at in places if len(draws[at])]
                means = [float(np.mean(draws[at])) for at in known]
                style = "-" if number == 0 else "--"
                axis.plot(known, means, style, marker="o", ms=3, color=f"C{number}", label=method)
                if number == 0:
                    low, high = ([float(of(draws[at])) for at in known] for of in (np.min, np.max))
                    axis.fill_between(known, low, high, color="C0", alpha=0.2, lw=0)
            axis.set_title(each.task)
            axis.set_xticks(list(places), [str(count) for count in each.counts])
            axis.set_xlabel("abnormal examples")
            axis.set_ylabel("AUROC")
            axis.grid(visible=True, linewidth=0.4, alpha=0.5)
        figure.suptitle(
            f"{shots} references and abnormal examples\nmean of the draws, and their range", fontsize=9.5
        )
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)


def draw_example_rainclouds(path: Path, tasks: Sequence[ExampleScores], shots: int) -> None:
    """Draws the scores of the first draw: for each number of examples a density, quartiles and dots.

    Scores are in deviations of the normal queries from their mean, so that numbers of examples compare.

    Args:
        path: The PNG to write.
        tasks: One entry per task.
        shots: Number of references, for the title.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    rows, columns = rows_and_columns(len(tasks))
    most = max(len(each.counts) for each in tasks)
    with figure_file(path, max(4.6, 3.2 * columns), (0.6 * most + 0.9) * rows + 0.7) as figure:
        for axis, each in zip(grid_of_axes(figure, len(tasks)), tasks, strict=True):
            abnormal = np.array(each.abnormal)
            bases = np.arange(len(each.counts))[::-1].astype(float)
            for base, values in zip(bases, each.scores, strict=True):
                own = np.array(values)
                own = (own - own[~abnormal].mean()) / max(float(own[~abnormal].std()), 1e-9)
                own = np.sign(own) * np.log1p(np.abs(own))  # some lie hundreds of deviations away
                for group, colour in ((own[~abnormal], NORMAL), (own[abnormal], ABNORMAL)):
                    draw_cloud(axis, group, float(base), colour)
                side = f"{auroc(values, each.abnormal):.2f}"
                axis.text(
                    0.99, base + 0.3, side, transform=axis.get_yaxis_transform(), ha="right", fontsize=8
                )
            axis.set_title(f"{each.task} ({int((~abnormal).sum())} normal, {int(abnormal.sum())} abnormal)")
            axis.set_yticks(bases, [str(count) for count in each.counts])
            axis.set_ylim(-0.42, len(bases) - 0.55)
            axis.set_ylabel("abnormal examples")
            axis.set_xlabel("score, sign * log(1 + deviations)")
            axis.xaxis.set_major_locator(MaxNLocator(5))
            axis.tick_params(axis="y", length=0)
        figure.suptitle(
            f"Scores of normal (blue) and abnormal scans\n{shots} references, first draw; AUROC at the right",
            fontsize=9.5,
        )
