"""The loss curve of a training as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from napari_d24fad.atomic import atomic_file

_SMOOTHED = 50


def save_loss_plot(
    losses: Mapping[str, Sequence[float]], reviews: Sequence[tuple[int, float]], path: Path
) -> None:
    """Draws the loss of each stage, and the measurements that the weights were chosen by.

    Args:
        losses: Per stage, of every step.
        reviews: Step and image AUROC during the last stage.
        path: A PNG file.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    figure = Figure(figsize=(4 + 4 * len(losses), 4), layout="constrained")
    for position, (stage, values) in enumerate(losses.items(), start=1):
        axes = figure.add_subplot(1, len(losses), position, title=stage, xlabel="step", ylabel="loss")
        steps = np.arange(1, len(values) + 1)
        if len(values) < _SMOOTHED:
            axes.plot(steps, values, ".-", color="C0", label="each step")
        else:
            axes.plot(steps, values, color="0.75", linewidth=0.6, label="each step")
            smooth = np.convolve(values, np.full(_SMOOTHED, 1 / _SMOOTHED), "valid")
            axes.plot(steps[_SMOOTHED - 1 :], smooth, color="C0", label=f"mean of {_SMOOTHED}")
        axes.legend(loc="upper right")
        if reviews and position == len(losses):
            right = axes.twinx()
            right.set_ylabel("image AUROC on synthetic anomalies")
            right.plot(*np.array(reviews).T, "o-", color="C1", markersize=3, linewidth=0.8)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=100)
