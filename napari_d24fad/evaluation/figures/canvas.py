"""What all evaluation figures share: colours, fonts, and writing them without pyplot's global state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from napari_d24fad.atomic import atomic_file

NORMAL, ABNORMAL = "#0072B2", "#D55E00"
"""Blue and vermilion of Okabe and Ito's palette, which colour-blind readers tell apart."""

_DPI = 150
_COLUMNS = 3


@contextmanager
def figure_file(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Yields a figure that is then written as PNG, or not at all.

    Args:
        path: The file.
        width: In inches.
        height: In inches.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    with rc_context(
        {
            "font.size": 9.0,
            "axes.titlesize": 9.5,
            "axes.labelsize": 9.0,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "xtick.labelsize": 8.0,
            "ytick.labelsize": 8.0,
        }
    ):
        figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
        yield figure
        save_figure(figure, path)


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG, or not at all.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    FigureCanvasAgg(figure)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=_DPI)


def rows_and_columns(count: int) -> tuple[int, int]:
    """Returns how many rows and columns ``count`` panels are drawn in."""
    columns = min(_COLUMNS, count)
    return -(-count // columns), columns


def grid_of_axes(figure: Figure, count: int) -> list[Axes]:
    """Returns ``count`` axes in rows; what is left of the last row stays empty."""
    rows, columns = rows_and_columns(count)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for unused in axes[count:]:
        unused.set_axis_off()
    return axes[:count]
