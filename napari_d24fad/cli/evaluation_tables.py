"""The tables that ``d24fad evaluate`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from napari_d24fad.cli.console import table
from napari_d24fad.evaluation.names import NEAREST, PROBE, method_with

_MODEL, _NEAREST = "model", ("nearest neighbour, top 5 %", "nearest neighbour, mean")
_PIXEL_METRICS = ("pixel AUROC", "pixel AP", "AUPRO", "best Dice", "Dice at one false region")


def ablation_table(found: dict[str, dict[str, tuple[float, ...]]]) -> str:
    """Returns the mean image AUROC of each variant, by task.

    Args:
        found: By task and variant, the AUROC of each draw.
    """
    means = {task: {name: fmean(areas) for name, areas in each.items()} for task, each in found.items()}
    rows = [
        [
            name,
            *(f"{each[name]:.3f}" for each in means.values()),
            f"{fmean(m[name] for m in means.values()):.3f}",
        ]
        for name in next(iter(means.values()))
    ]
    return table(["image AUROC, mean of the draws", *means, "mean"], rows)


def summary(report: dict[str, Any]) -> str:
    """Returns the main figures of a run.

    Args:
        report: Of `as_report`.
    """
    shots = max(report["shots"])
    head = ["task", "normal", "abnormal", "examined", "model"]
    head += ["nearest (top 5 %)", "nearest (mean)", "single statistic"]
    rows = []
    for task in report["tasks"]:
        cells = [_cell(task, "image AUROC", shots, method) for method in (_MODEL, *_NEAREST)]
        single = task["single_statistic"]
        cells.append(f"{single['image_auroc']:.3f} ({single['name']})")
        seen = " *" if task["in_training_data"] else ""
        counts = [str(task["normal"]), str(task["abnormal"])]
        examined = " + ".join(map(_range, task["examined_in_each_draw"].values()))
        rows.append([task["task"] + seen, *counts, examined, *cells])
    draws = report["draws"]
    over = "one draw" if draws == 1 else f"mean of {draws} draws [95 % interval over draws]"
    lines = [
        f"Image AUROC, {report['scoring']} scoring, {report['protocol']} protocol, "
        f"{shots} references, {over}",
        table(head, rows),
        f"mean over tasks: {report['mean_image_auroc']:.3f}",
    ]
    for task in report["tasks"]:
        pixels = [(name, _cell(task, name, shots)) for name in _PIXEL_METRICS]
        if pixels[0][1] != "-":
            lines.append(f"{task['task']}: " + ", ".join(f"{name} {cell}" for name, cell in pixels))
    lines += _with_examples(report, shots)
    if any(task["in_training_data"] for task in report["tasks"]):
        lines.append("* the model was trained on normal images of this task")
    left_out = sum(task["copies_left_out"] + task["unusable_left_out"] for task in report["tasks"])
    if left_out:
        lines.append(f"{left_out} scans were left out: copies of others, or not usable")
    return "\n".join(lines)


def _with_examples(report: dict[str, Any], shots: int) -> list[str]:
    """Returns the figures with abnormal examples beside the references; nothing where none were wanted."""
    wanted = report["abnormal_shots"]
    if not wanted:
        return []
    rows = []
    for count in wanted:
        for name in ("model", PROBE, NEAREST) if count else ("model",):
            method = method_with(count, name)
            means = [_mean(task, "image AUROC", shots, method) for task in report["tasks"]]
            rows.append([method, *(f"{each:.3f}" for each in means), f"{fmean(means):.3f}"])
    head = ["image AUROC, abnormal examples", *(task["task"] for task in report["tasks"]), "mean"]
    return [table(head, rows)]


def _mean(task: dict[str, Any], metric: str, shots: int, method: str) -> float:
    return next(
        float(figure["mean"])
        for figure in task["figures"]
        if (figure["metric"], figure["shots"], figure["method"]) == (metric, shots, method)
    )


def _range(counts: Sequence[int]) -> str:
    fewest, most = min(counts), max(counts)
    return str(most) if fewest == most else f"{fewest} to {most}"


def _cell(task: dict[str, Any], metric: str, shots: int, method: str = _MODEL) -> str:
    for figure in task["figures"]:
        if (figure["metric"], figure["shots"], figure["method"]) == (metric, shots, method):
            ends = "" if figure["low"] is None else f" [{figure['low']:.3f}, {figure['high']:.3f}]"
            return f"{figure['mean']:.3f}{ends}"
    return "-"
