"""The t-SNE figure: student embeddings of all scans, of one model or of two side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import colormaps
from matplotlib.lines import Line2D

from napari_d24fad.evaluation.embeddings import Embeddings, project
from napari_d24fad.evaluation.figures.canvas import figure_file


def draw_tsne(path: Path, panels: Sequence[tuple[str, Sequence[Embeddings]]]) -> None:
    """Draws one panel per model; colour is the task, the marker the label.

    Args:
        path: The PNG to write.
        panels: Title and embeddings per task; all panels hold the same tasks.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    tasks = [each.task for each in panels[0][1]]
    palette = colormaps["tab10" if len(tasks) <= 10 else "tab20"]
    with figure_file(path, 4.6 * len(panels) + 1.7, 4.6) as figure:
        for axes, (title, embeddings) in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
        ):
            for at, (each, plane) in enumerate(zip(embeddings, project(embeddings), strict=True)):
                for label, marker in ((False, "o"), (True, "x")):
                    chosen = [abnormal is label for abnormal in each.abnormal]
                    axes.plot(*plane[chosen].T, marker, color=palette(at), markersize=3.5, alpha=0.7, mew=0.8)
            axes.set_title(title)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[["left", "bottom"]].set_visible(False)
        handles = [
            Line2D([], [], marker="s", linestyle="", color=palette(at), label=task)
            for at, task in enumerate(tasks)
        ]
        handles += [
            Line2D([], [], marker=marker, linestyle="", color="0.3", label=label)
            for marker, label in (("o", "normal"), ("x", "abnormal"))
        ]
        figure.legend(handles=handles, loc="outside right center")
        figure.suptitle(
            "t-SNE of student embeddings (mean over positions, three scales); axes have no unit", fontsize=10
        )
