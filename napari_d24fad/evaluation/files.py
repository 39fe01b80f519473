"""Writes an evaluation: figures as JSON and CSV, every score as CSV, illustrations as PNG."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_d24fad.atomic import atomic_file, atomic_folder
from napari_d24fad.evaluation.cost import Cost
from napari_d24fad.evaluation.figures.bubbles import Bubble, draw_bubbles
from napari_d24fad.evaluation.figures.examples import (
    ExampleScores,
    draw_example_rainclouds,
    draw_examples,
)
from napari_d24fad.evaluation.figures.rainclouds import draw_rainclouds
from napari_d24fad.evaluation.figures.sheets import draw_misses, draw_sheet
from napari_d24fad.evaluation.figures.tsne import draw_tsne
from napari_d24fad.evaluation.measure import Plan
from napari_d24fad.evaluation.names import NEAREST, PROBE, method_with
from napari_d24fad.evaluation.reliability import draw_reliability
from napari_d24fad.evaluation.results import Checks, Evaluation, Illustration, TaskResult
from napari_d24fad.evaluation.summary import Estimate
from napari_d24fad.metrics.scans import auroc

SCHEMA = "d24fad-evaluation/2"
RESULT_FILE = "evaluation.json"
_FIGURE_HEAD = ("task", "shots", "method", "metric", "mean", "low", "high", "draws")
_SCORE_HEAD = ("task", "folder", "number", "abnormal", "shots", "draw", "method", "score")
_RUN_HEAD = ("run", "mean_image_auroc", "seconds_per_scan", "memory_mib", "device", "tasks")


def save_evaluation(
    out: Path, evaluation: Evaluation, illustrations: Sequence[Illustration], beside: str = ""
) -> dict[str, Any]:
    """Writes one run to a folder of its name, then compares all runs that lie in ``out``.

    Args:
        out: The results folder.
        evaluation: The figures.
        illustrations: What is drawn, one per task; empty to draw nothing.
        beside: Name of the model whose embeddings are shown beside; empty for none.

    Returns:
        What was written to ``evaluation.json``.

    Raises:
        ExportError: CANNOT_WRITE; nothing of this run is left then.
    """
    report = as_report(evaluation)
    with atomic_folder(out / evaluation.name) as folder:
        (folder / RESULT_FILE).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        _write_csv(folder / "evaluation.csv", _FIGURE_HEAD, _figure_rows(evaluation))
        _write_csv(folder / "scores.csv", _SCORE_HEAD, _score_rows(evaluation))
        checked = {t.task.name: t.checks.reliability for t in evaluation.tasks if t.checks.reliability}
        if checked:
            draw_reliability(folder / "reliability.png", checked)
        if illustrations:
            _draw(folder, evaluation, illustrations, beside)
    _compare(out, report)
    return report


def save_cost(out: Path, report: dict[str, Any], cost: Cost) -> dict[str, Any]:
    """Adds what one examination costs to a run that is saved, and compares all runs again.

    Args:
        out: The results folder.
        report: Of `save_evaluation`.
        cost: Of the same model and scoring.

    Returns:
        What was written to ``evaluation.json``.

    Raises:
        ExportError: CANNOT_WRITE; the run is then as it was.
    """
    report = {**report, "cost": asdict(cost)}
    with atomic_file(out / report["name"] / RESULT_FILE) as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    _compare(out, report)
    return report


def as_report(evaluation: Evaluation) -> dict[str, Any]:
    """Returns the run as plain values, its cost not yet among them; scans are counted, never named."""
    return {
        "schema": SCHEMA,
        "name": evaluation.name,
        "scoring": evaluation.scoring,
        "protocol": evaluation.protocol,
        **asdict(evaluation.plan),
        "device": evaluation.device,
        "cost": None,
        "mean_image_auroc": evaluation.mean("image AUROC", max(evaluation.plan.shots)),
        "tasks": [_task_report(task) for task in evaluation.tasks],
    }


def _task_report(result: TaskResult) -> dict[str, Any]:
    task = result.task
    return {
        "task": task.name,
        "scans": task.scans[0].kind,
        "normal": task.count(abnormal=False),
        "abnormal": task.count(abnormal=True),
        "examined_in_each_draw": {
            "normal": result.examined(abnormal=False),
            "abnormal": result.examined(abnormal=True),
        },
        "copies_left_out": task.n_copies,
        "unusable_left_out": task.n_unusable,
        "model": result.model_name,
        "model_sha256": result.model_sha256,
        "in_training_data": result.trained_on,
        "single_statistic": {"name": result.statistic, "image_auroc": result.statistic_auroc},
        "figures": [
            {"shots": row.shots, "method": row.method, "metric": row.metric, **asdict(row.estimate)}
            for row in result.rows
        ],
        **_checks_report(result.checks),
    }


def _checks_report(checks: Checks) -> dict[str, Any]:
    report: dict[str, Any] = {}
    if checks.reliability is not None:
        found = checks.reliability
        report["reliability"] = {
            "shots": found.shots,
            "stated_pixel_rates": found.rates,
            "observed_pixel_rates": found.observed,
            "observed_pixel_rates_of_draws": [draw.pixel_rates for draw in found.draws],
            "regions_per_normal_scan": found.regions_per_scan,
            "smallest_p": 1 / (found.shots + 1),
            "normal_scans_at_smallest_p": found.scans_at_or_below(1 / (found.shots + 1)),
        }
    if checks.contamination is not None:
        flagged = checks.contamination
        report["one_abnormal_reference"] = {
            "shots": flagged.shots,
            "flagged": flagged.found,
            "normal_references_flagged": flagged.false_flags,
            "image_auroc_lost": flagged.lost,
            "image_auroc_lost_without_flagged": flagged.lost_without_flagged,
        }
    return report


def _figure_rows(evaluation: Evaluation) -> Iterator[Sequence[object]]:
    for result in evaluation.tasks:
        name = result.task.name
        statistic = f"single statistic: {result.statistic}"
        yield name, "", statistic, "image AUROC", f"{result.statistic_auroc:.6f}", "", "", ""
        for row in result.rows:
            yield name, row.shots, row.method, row.metric, *_cells(row.estimate)


def _cells(estimate: Estimate) -> tuple[str, str, str, str]:
    low, high = ("" if end is None else f"{end:.6f}" for end in (estimate.low, estimate.high))
    return f"{estimate.mean:.6f}", low, high, " ".join(f"{value:.6f}" for value in estimate.values)


def _score_rows(evaluation: Evaluation) -> Iterator[Sequence[object]]:
    for result in evaluation.tasks:
        for run in result.scores:
            for method, scores in run.scores.items():
                for index, score in zip(run.queries, scores, strict=True):
                    scan = result.task.scans[index]
                    where = (result.task.name, scan.folder, scan.number, int(scan.abnormal))
                    yield *where, run.shots, run.draw + 1, method, f"{score:.7g}"


def _write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


def _draw(folder: Path, evaluation: Evaluation, illustrations: Sequence[Illustration], beside: str) -> None:
    shots = max(evaluation.plan.shots)
    # A teacher alone has neither learn-to-weight nor student embeddings.
    if weightings := [each.weighting for each in illustrations if each.weighting is not None]:
        draw_rainclouds(folder / "rainclouds.png", weightings, shots)
    panels = [(evaluation.name, [each.embeddings for each in illustrations if each.embeddings is not None])]
    others = [each.beside for each in illustrations if each.beside is not None]
    panels = [panel for panel in (*panels, (beside, others)) if panel[1]]
    if panels:
        draw_tsne(folder / "tsne.png", panels)
    shown = [each for each in illustrations if each.cases]
    for each in shown:
        draw_sheet(folder / f"maps_{each.cases[0].task}.png", each.cases)
    if shown:
        draw_misses(folder / "misses.png", [case for each in shown for case in each.cases])
    if any(evaluation.plan.abnormal_shots):
        scores = [_example_scores(task, evaluation.plan) for task in evaluation.tasks]
        draw_examples(folder / "examples.png", scores, shots)
        draw_example_rainclouds(folder / "examples_rainclouds.png", scores, shots)


def _example_scores(result: TaskResult, plan: Plan) -> ExampleScores:
    runs = [each for each in result.scores if each.shots == max(plan.shots)]
    counts = tuple(sorted({0, *plan.abnormal_shots}))
    aurocs = {
        method: [
            [auroc(run.scores[key], run.abnormal) for run in runs if key in run.scores]
            for key in (method_with(count, method) for count in counts)
        ]
        for method in ("model", PROBE, NEAREST)
    }
    scores = tuple(runs[0].scores[method_with(count)] for count in counts)
    return ExampleScores(result.task.name, counts, aurocs, scores, runs[0].abnormal)


def _compare(out: Path, latest: dict[str, Any]) -> None:
    """Lists all runs in the folder that can be compared with the latest, and draws their trade-off."""
    rows, bubbles = [], []
    for path in sorted(out.glob(f"*/{RESULT_FILE}")):
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            if report["schema"] == SCHEMA and _condition(report) == _condition(latest):
                rows.append(_row(report))
                bubbles += [_bubble(report)] if report["cost"] else []
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not ours, or of another version: nothing that could be compared
    with atomic_file(out / "runs.csv") as temporary:
        _write_csv(temporary, _RUN_HEAD, rows)
    if bubbles:
        draw_bubbles(out / "trade-off.png", bubbles, max(latest["shots"]))


def _condition(report: dict[str, Any]) -> tuple[object, ...]:
    return [each["task"] for each in report["tasks"]], max(report["shots"]), report["device"]


def _row(report: dict[str, Any]) -> tuple[object, ...]:
    cost = report["cost"] or {"seconds": None, "memory_mib": None}
    tasks = " ".join(each["task"] for each in report["tasks"])
    seconds, memory = (cost[name] or "" for name in ("seconds", "memory_mib"))
    return report["name"], report["mean_image_auroc"], seconds, memory, report["device"], tasks


def _bubble(report: dict[str, Any]) -> Bubble:
    tasks = tuple(each["task"] for each in report["tasks"])
    cost = report["cost"]
    return Bubble(
        report["name"],
        report["mean_image_auroc"],
        cost["seconds"],
        cost["memory_mib"],
        report["device"],
        tasks,
    )
