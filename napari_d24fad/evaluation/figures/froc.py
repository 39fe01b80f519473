"""Free-response ROC curves: lesions found against false regions of normal scans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from napari_d24fad.evaluation.figures.canvas import figure_file, rows_and_columns

_MARKED = {0.25: "1/4", 0.5: "1/2", 1.0: "1", 2.0: "2", 4.0: "4"}


def draw_froc(
    path: Path, title: str, rates: Sequence[float], panels: Mapping[str, Mapping[str, Sequence[float]]]
) -> None:
    """Draws sensitivity against false regions per normal scan.

    Args:
        path: A PNG file.
        title: What was measured.
        rates: False regions per normal scan.
        panels: By the title of each panel, for each method the sensitivity at every rate; the
            first panel has all methods.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    rows, columns = rows_and_columns(len(panels))
    with figure_file(path, 3.2 * columns + 1.8, 2.7 * rows + 0.4) as figure:
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axis, (text, curves) in zip(axes, panels.items(), strict=False):
            for number, (method, sensitivity) in enumerate(curves.items()):
                axis.plot(rates, sensitivity, label=method, color=f"C{number}", linewidth=1.4)
            axis.set_title(text)
            axis.set_xscale("log", base=2)
            axis.set_xticks(list(_MARKED), list(_MARKED.values()))
            axis.set_ylim(-0.02, 1.02)
            axis.grid(visible=True, linewidth=0.4, alpha=0.5)
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        figure.suptitle(f"{title}: sensitivity against false regions per normal scan", fontsize=10)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=8)
