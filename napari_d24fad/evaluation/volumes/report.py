"""Writes what was measured on volumes: figures as JSON and as tables, scores as CSV, FROC curves as PNG."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_d24fad.atomic import atomic_folder
from napari_d24fad.evaluation.figures.examples import (
    ExampleScores,
    draw_example_rainclouds,
    draw_examples,
)
from napari_d24fad.evaluation.figures.froc import draw_froc
from napari_d24fad.evaluation.figures.lesions import draw_lesions
from napari_d24fad.evaluation.measure import Plan
from napari_d24fad.evaluation.names import method_with
from napari_d24fad.evaluation.pictured import LesionPicture
from napari_d24fad.evaluation.volumes.curves import RATES, panels
from napari_d24fad.evaluation.volumes.groups import kind_figures
from napari_d24fad.evaluation.volumes.pictures import best_and_worst, caption
from napari_d24fad.evaluation.volumes.run import DrawResult, VolumeResult
from napari_d24fad.evaluation.volumes.tables import markdown
from napari_d24fad.metrics.cohort import Measured, scan_auroc

SCHEMA = "d24fad-volumes/1"
RESULT_FILE = "volumes.json"
TABLE_FILE = "volumes.md"


def save_volumes(
    out: Path,
    name: str,
    results: Sequence[VolumeResult],
    plan: Plan,
    about: dict[str, Any],
    pictures: int = 0,
) -> dict[str, Any]:
    """Writes one run to a folder of its name.

    Args:
        out: The results folder.
        name: Of the run.
        results: One for each set.
        plan: How it was measured.
        about: What else the report says of the run.
        pictures: How many of the best found lesions and of the worst misses are drawn, where slices were
            kept of them.

    Returns:
        What was written to ``volumes.json``; scans are counted, never named.

    Raises:
        ExportError: CANNOT_WRITE; nothing of this run is left then.
    """
    report = {
        "schema": SCHEMA,
        "name": name,
        "shots": list(plan.shots),
        "draws": plan.draws,
        "seed": plan.seed,
        "abnormal_shots": list(plan.abnormal_shots),
        **about,
        "sets": [_set_report(result) for result in results],
    }
    with atomic_folder(out / name) as folder:
        (folder / RESULT_FILE).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        (folder / TABLE_FILE).write_text(markdown(report), encoding="utf-8")
        _write_scores(folder / "scores.csv", results)
        for result in results:
            for shots in plan.shots:
                draws = [each for each in result.draws if each.shots == shots]
                path = folder / f"froc_{result.task.name}_{shots}.png"
                draw_froc(path, f"{result.task.name}, {shots} references", RATES, panels(draws))
            if pictures:
                _draw_pictures(folder, result, pictures)
        taught = [scores for result in results for scores in _example_scores(result, plan)]
        if taught:
            draw_examples(folder / "examples.png", taught, max(plan.shots))
            draw_example_rainclouds(folder / "examples_rainclouds.png", taught, max(plan.shots))
    return report


def _example_scores(result: VolumeResult, plan: Plan) -> list[ExampleScores]:
    """Returns the scan scores of each method that was shown abnormal examples, with each number of them."""
    if not any(plan.abnormal_shots):
        return []
    counts = tuple(sorted({0, *plan.abnormal_shots}))
    draws = [each for each in result.draws if each.shots == max(plan.shots)]
    by_method: dict[str, list[list[Measured]]] = {}
    for each in draws:
        by_method.setdefault(each.method, []).append([one.measured for one in each.queried])
    found = []
    for method in by_method:
        names = [method_with(count, method) for count in counts]
        if not all(name in by_method for name in names):
            continue
        aurocs = {method: [[scan_auroc(each) for each in by_method[name]] for name in names]}
        first = [by_method[name][0] for name in names]
        scores = tuple(tuple(each.score for each in one) for one in first)
        labels = tuple(each.abnormal for each in first[0])
        found.append(ExampleScores(result.task.name, counts, aurocs, scores, labels))
    return found


def _set_report(result: VolumeResult) -> dict[str, Any]:
    first = result.draws[0]
    return {
        "set": result.task.name,
        "normal": result.task.count(abnormal=False),
        "abnormal": result.task.count(abnormal=True),
        "outlined": sum(scan.outline is not None for scan in result.task.scans),
        "copies_left_out": result.task.n_copies,
        "unusable_left_out": result.task.n_unusable,
        "examined_in_first_draw": {
            "without lesion": sum(not each.measured.abnormal for each in first.queried),
            "with lesion": sum(each.measured.abnormal for each in first.queried),
        },
        "single_statistic": [
            {"shots": shots, "draws": [{"name": name, "scan AUROC": area} for name, area in found]}
            for shots, found in result.statistics.items()
        ],
        "methods": [_method_report(draws) for draws in _by_method(result)],
    }


def _method_report(draws: Sequence[DrawResult]) -> dict[str, Any]:
    report: dict[str, Any] = {
        "method": draws[0].method,
        "shots": draws[0].shots,
        "prepare_seconds": float(np.median([each.prepare_seconds for each in draws])),
        "figures": {name: _over_draws([each.figures[name] for each in draws]) for name in draws[0].figures},
    }
    if draws[0].voxel_auroc:
        kinds = [kind_figures(each) for each in draws]
        report["implanted"] = [
            {
                "kind": kind,
                "size": size,
                "figures": {name: _over_draws([each[kind, size][name] for each in own]) for name in figures},
            }
            for (kind, size), figures in kinds[0].items()
            if (own := [each for each in kinds if (kind, size) in each])
        ]
    return report


def _over_draws(values: Sequence[float]) -> dict[str, Any]:
    """Mean over the draws that have the figure; None for NaN, which JSON does not know."""
    known = [value for value in values if not np.isnan(value)]
    return {
        "mean": float(np.mean(known)) if known else None,
        "draws": [None if np.isnan(value) else value for value in values],
    }


def _by_method(result: VolumeResult) -> list[list[DrawResult]]:
    keys = dict.fromkeys((each.shots, each.method) for each in result.draws)
    return [[each for each in result.draws if (each.shots, each.method) == key] for key in keys]


def _write_scores(path: Path, results: Sequence[VolumeResult]) -> None:
    head = ("set", "folder", "number", "kind", "size", "abnormal", "shots", "draw", "method")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*head, "score", "p_value", "regions", "refused"))
        for result in results:
            for run in result.draws:
                for each in run.queried:
                    scan, found = result.task.scans[each.index], each.measured
                    where = (result.task.name, scan.folder, scan.number, each.kind, each.size)
                    how = (int(found.abnormal), run.shots, run.draw + 1, run.method)
                    told = (f"{found.score:.7g}", f"{found.p_value:.4g}", found.found.n_told)
                    writer.writerow((*where, *how, *told, int(each.refused)))


def _draw_pictures(folder: Path, result: VolumeResult, count: int) -> None:
    """Draws the lesions of each method that slices were kept of."""
    for run in result.draws:
        if not run.pictures:
            continue
        told = [each.measured.found.masses for each in run.queried if not each.measured.abnormal]

        def name(one: LesionPicture, told: Sequence[Sequence[float]] = told) -> str:
            scan = result.task.scans[one.index]
            return caption(one, scan.folder, scan.number, told)

        best, worst = best_and_worst(run.pictures, count)
        method = re.sub(r"[^a-z0-9]+", "-", run.method.lower()).strip("-")
        path = folder / f"lesions_{result.task.name}_{method}.png"
        title = f"{result.task.name}, {run.method}, {run.shots} references"
        draw_lesions(path, title, best, worst, name)
