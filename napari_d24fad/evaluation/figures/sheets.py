"""Contact sheets: scans with their anomaly maps, per task, and the worst misses of all tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from napari_d24fad.evaluation.cases import FALSE_ALARM, FOUND, MISSED, PER_KIND, Case
from napari_d24fad.evaluation.figures.canvas import figure_file
from napari_d24fad.export.colours import overlay_colours

_COLORMAP = ListedColormap(overlay_colours()[:, :3])
_CELL = 1.55
_FLATTEST, _HIGHEST = 0.3, 1.2
_TITLES = {
    FOUND: "abnormal,\nhighest scores",
    MISSED: "abnormal,\nlowest scores",
    FALSE_ALARM: "normal,\nhighest scores",
}


def draw_sheet(path: Path, cases: Sequence[Case]) -> None:
    """Draws the cases of one task: each kind is a row of scans over a row of their maps.

    Args:
        path: The PNG to write.
        cases: Of one task.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    rows = [
        (title, [case for case in cases if case.kind == kind][:PER_KIND]) for kind, title in _TITLES.items()
    ]
    _draw(path, f"{cases[0].task}: anomaly maps of single cases", rows)


def draw_misses(path: Path, cases: Sequence[Case]) -> None:
    """Draws the abnormal scans with the lowest scores, one pair of rows per task.

    Args:
        path: The PNG to write.
        cases: Of any number of tasks; only misses are shown.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    tasks = dict.fromkeys(case.task for case in cases)
    rows = [
        (task, [case for case in cases if case.task == task and case.kind == MISSED][:PER_KIND])
        for task in tasks
    ]
    _draw(path, "The worst misses: abnormal scans with the lowest scores", rows)


def _draw(path: Path, title: str, rows: Sequence[tuple[str, Sequence[Case]]]) -> None:
    # Two rows of axes per row of cases, no higher than these are: flat scans leave no gaps.
    heights = [height for _, cases in rows for height in [_height(cases)] * 2]
    size = _CELL * PER_KIND + 1.6, _CELL * sum(heights) + 0.4 * len(rows) + 0.8
    with figure_file(path, *size) as figure:
        grid = figure.subplots(len(heights), PER_KIND, squeeze=False, height_ratios=heights)
        for axes in grid.flat:
            axes.set_axis_off()
        for at, (label, cases) in enumerate(rows):
            if not cases:
                continue
            scale = _scale([case for _, group in rows for case in group if case.task == cases[0].task])
            for column, case in enumerate(cases):
                _scan(grid[2 * at, column], case)
                _map(grid[2 * at + 1, column], case, scale)
            grid[2 * at, 0].text(
                -0.12, 0.5, label, transform=grid[2 * at, 0].transAxes, ha="right", va="center", fontsize=9
            )
            if any((case.values >= case.level).any() for case in cases):
                _colour_bar(figure, list(grid[2 * at : 2 * at + 2].flat), scale)
        figure.suptitle(
            f"{title}\nabove each scan: folder, number, and how many of the normal queries score lower; "
            "line: outlined lesion\nmap: clear below the level of one false region",
            fontsize=9,
        )


def _height(cases: Sequence[Case]) -> float:
    """Height of the highest of some cases as they are shown, in widths of a cell."""
    shapes = [float(case.aspect * case.image.shape[0] / case.image.shape[1]) for case in cases]
    return min(_HIGHEST, max([_FLATTEST, *shapes]))


def _scale(cases: Sequence[Case]) -> Normalize:
    """One colour scale per task, so that its maps can be compared."""
    low = float(np.median([case.level for case in cases]))
    return Normalize(low, max(max(float(np.nanmax(case.values)) for case in cases), low * 1.05, low + 1e-6))


def _scan(axes: Axes, case: Case) -> None:
    _anatomy(axes, case)
    axes.set_anchor("S")  # a flat scan lies close to its map
    axes.set_title(f"{case.folder} {case.number}\nabove {100 * case.rank:.0f} % of normal", fontsize=7, pad=2)


def _map(axes: Axes, case: Case, scale: Normalize) -> None:
    _anatomy(axes, case)
    axes.set_anchor("N")
    shown = np.ma.masked_where(~(case.values >= case.level), case.values)
    axes.imshow(shown, cmap=_COLORMAP, norm=scale, alpha=0.6, aspect=case.aspect)


def _anatomy(axes: Axes, case: Case) -> None:
    axes.imshow(case.image, cmap="gray", vmin=0, vmax=1, aspect=case.aspect)
    if case.mask is not None and case.mask.any():
        axes.contour(case.mask, levels=[0.5], colors="#00E5FF", linewidths=0.8)


def _colour_bar(figure: Figure, axes: list[Axes], scale: Normalize) -> None:
    bar = figure.colorbar(ScalarMappable(scale, _COLORMAP), ax=axes, fraction=0.02, pad=0.01, aspect=35)
    bar.set_label("map value", fontsize=7)
    bar.ax.tick_params(labelsize=6)
