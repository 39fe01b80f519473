"""Contact sheets of volumes: the lesions that were found best, and the worst misses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize

from napari_d24fad.evaluation.figures.canvas import figure_file
from napari_d24fad.evaluation.pictured import LesionPicture, SlicePicture
from napari_d24fad.export.colours import overlay_colours
from napari_d24fad.export.notice import NOTICE

_CELL = 1.7
_WIDTH_OF_TITLE = 6.5
_ROWS = ("most of\nthe lesion", "the same,\ncoloured", "region of\nrank 1")
_LESION, _REGION = "#00E5FF", "#FFFFFF"


def draw_lesions(
    path: Path,
    title: str,
    best: Sequence[LesionPicture],
    worst: Sequence[LesionPicture],
    name: Callable[[LesionPicture], str],
) -> None:
    """Draws three slices of each query: three rows for the best, three for the worst.

    Args:
        path: The PNG to write.
        title: What was measured.
        best: Queries found best, the best first.
        worst: The worst misses, the worst first.
        name: What to write above a query; never who it is.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    groups = [group for group in (best, worst) if group]
    columns = max(len(group) for group in groups)
    size = (
        max(_CELL * columns + 0.9, _WIDTH_OF_TITLE),
        3 * len(groups) * _CELL * 1.2 + 0.45 * len(groups) + 0.8,
    )
    with figure_file(path, *size) as figure:
        axes = figure.subplots(3 * len(groups), columns, squeeze=False)
        for axis in axes.flat:
            axis.set_axis_off()
        values = [each.largest.values for group in groups for each in group]
        values += [each.highest.values for group in groups for each in group]
        coloured = np.concatenate([each[np.isfinite(each)].astype(np.float32) for each in values])
        low, high = (coloured.min(), np.quantile(coloured, 0.99)) if coloured.size else (0.0, 1.0)
        scale = Normalize(float(low), max(float(high), float(low) + 1e-6))
        for at, group in enumerate(groups):
            for row, label in enumerate(_ROWS):
                first = axes[3 * at + row, 0]
                first.text(-0.06, 0.5, label, transform=first.transAxes, ha="right", va="center", fontsize=7)
            for column, each in enumerate(group):
                own = axes[3 * at : 3 * at + 3, column]
                own[0].set_title(name(each), fontsize=6.5, pad=2)
                _slice(own[0], each.largest, each.aspect)
                _slice(own[1], each.largest, each.aspect, scale)
                _slice(own[2], each.highest, each.aspect, scale)
        figure.suptitle(
            f"{title}: lesions found best{', and below, of the others, those found last' if worst else ''}\n"
            "blue line: outlined lesion; white line: region of rank 1; colour: listed at the level of one "
            f"false region\n{NOTICE}",
            fontsize=8,
        )


def _slice(axis: Axes, shown: SlicePicture, aspect: float, scale: Normalize | None = None) -> None:
    axis.imshow(shown.image, cmap="gray", vmin=0, vmax=255, aspect=aspect)
    if scale is not None:
        values = np.ma.masked_invalid(shown.values.astype(np.float32))
        axis.imshow(
            values, cmap=ListedColormap(overlay_colours()[:, :3]), norm=scale, alpha=0.55, aspect=aspect
        )
        _line(axis, shown.region, _REGION)
    _line(axis, shown.lesion, _LESION)


def _line(axis: Axes, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], colour: str) -> None:
    if mask.any() and not mask.all():
        axis.contour(mask, levels=[0.5], colors=colour, linewidths=0.6)
