"""The trade-off figure: accuracy against time, with memory as the size of the bubble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from napari_d24fad.evaluation.figures.canvas import figure_file

_AREA_PER_MIB = 0.6
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


@dataclass(frozen=True, slots=True)
class Bubble:
    """One run.

    Attributes:
        name: Name of the run.
        auroc: Mean image AUROC over its tasks.
        seconds: Per scan.
        memory_mib: Highest memory; None if it is not known.
        device: Where it was measured.
        tasks: What it was measured on.
    """

    name: str
    auroc: float
    seconds: float
    memory_mib: float | None
    device: str
    tasks: tuple[str, ...]


def draw_bubbles(path: Path, bubbles: Sequence[Bubble], shots: int) -> None:
    """Draws all runs of a results folder that were measured on the same tasks and device.

    Args:
        path: The PNG to write.
        bubbles: The runs; all share device and tasks.
        shots: Number of references, for the title.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    with figure_file(path, 7.2, 4.6) as figure:
        axes = figure.subplots()
        for at, bubble in enumerate(bubbles):
            area = _AREA_PER_MIB * (bubble.memory_mib or 200)
            colour = _COLOURS[at % len(_COLOURS)]
            axes.scatter(1000 * bubble.seconds, bubble.auroc, s=area, color=colour, alpha=0.45, lw=0)
            memory = "memory not known" if bubble.memory_mib is None else f"{bubble.memory_mib:.0f} MiB"
            label = f"{bubble.name}: {bubble.auroc:.3f}, {1000 * bubble.seconds:.0f} ms, {memory}"
            axes.plot([1000 * bubble.seconds], [bubble.auroc], "o", color=colour, markersize=4, label=label)
        times = [1000 * bubble.seconds for bubble in bubbles]
        axes.set_xscale("log")
        axes.set_xlim(min(times) / 2, max(times) * 2)
        axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        every = np.array([bubble.auroc for bubble in bubbles])
        axes.set_ylim(max(0, every.min() - 0.1), min(1.02, every.max() + 0.1))
        axes.set_xlabel("time per scan once the references are encoded (ms, logarithmic)")
        axes.set_ylabel("mean image AUROC")
        axes.grid(alpha=0.25)
        count = len(bubbles[0].tasks)
        axes.set_title(
            f"{shots} references, {count} {'task' if count == 1 else 'tasks'}, {bubbles[0].device}; "
            "area: highest memory of the process"
        )
        figure.legend(loc="outside lower center", ncols=1)
