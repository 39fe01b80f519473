"""``d24fad evaluate``: measures a model, or models that never saw what they are measured on."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from napari_d24fad.atomic import atomic_file, check_writable
from napari_d24fad.cli.console import progress_bar, table
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import Progress, part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_d24fad.evaluation.labelled import LabelledTask
    from napari_d24fad.evaluation.run import Fold

_MODEL, _NEAREST = "model", ("nearest neighbour, top 5 %", "nearest neighbour, mean")
_PIXEL_METRICS = ("pixel AUROC", "AUPRO", "best Dice", "Dice at one false region")
_FEWEST_SHOTS = 2
_DEFAULTS = {"model": "compact", "teacher": "compact", "steps": 2000}
"""What is taken where the command line says nothing; see `_without_effect`."""


def run(arguments: Namespace) -> None:
    """Measures, writes the results folder, and prints the main figures or JSON.

    Raises:
        D24fadError: See the functions it calls.
    """
    _check(arguments)
    for option, value in _DEFAULTS.items():
        setattr(arguments, option, getattr(arguments, option) or value)
    check_writable(arguments.out)
    from napari_d24fad.evaluation.files import save_evaluation  # imports torch
    from napari_d24fad.evaluation.labelled import read_labelled
    from napari_d24fad.evaluation.measure import Plan
    from napari_d24fad.evaluation.run import Fold, Options, evaluate

    with progress_bar() as progress:
        tasks = read_labelled(
            arguments.data,
            arguments.task,
            shots=max(arguments.shots),
            leave_out=arguments.leave_out,
            progress=part(progress, 0, 0.1),
        )
        if arguments.ablation:
            _ablate(arguments, tasks, part(progress, 0.1, 1))
            return
        name = ""
        folds: Sequence[Fold] = (Fold(arguments.model, tasks),)
        start = 0.1
        if arguments.leave_one_task_out:
            start = 0.6
            folds = _train(arguments, tasks, part(progress, 0.1, start))
            training = "-published-training" if arguments.published else ""
            name = f"leave-tasks-out-{arguments.teacher}{training}"
        options = Options(
            plan=Plan(arguments.shots, arguments.draws, arguments.seed),
            protocol=arguments.protocol,
            scoring=arguments.scoring,
            device=arguments.device,
            illustrate=not arguments.no_figures,
            beside=arguments.without_tsd,
            check=arguments.reliability,
        )
        evaluation, illustrations = evaluate(folds, options, name, progress=part(progress, start, 1))
    beside = f"without TSD: {Path(arguments.without_tsd).stem}" if arguments.without_tsd else ""
    report = save_evaluation(arguments.out, evaluation, illustrations, beside)
    print(json.dumps(report) if arguments.json else _summary(report))
    print(f"Written: {evaluation.name}", file=sys.stderr)


def _check(arguments: Namespace) -> None:
    wrong = ""
    if min(arguments.shots) < _FEWEST_SHOTS:
        wrong = "--shots: at least two references are needed."
    elif arguments.protocol == "published" and arguments.scoring == "matched":
        wrong = "The published protocol is that of the paper scoring."
    elif arguments.protocol == "published" and arguments.reliability:
        wrong = "--reliability goes with the honest protocol."
    elif arguments.ablation and arguments.scoring == "paper":
        wrong = "--ablation takes the matched scoring apart."
    else:
        wrong = _without_effect(arguments)
    if wrong:
        raise ArgumentError(Code.BAD_ARGUMENT, wrong)


def _without_effect(arguments: Namespace) -> str:
    """Names the first option that was given but would change nothing; empty if there is none."""
    if arguments.leave_one_task_out and arguments.model:
        return "--model does not go with --leave-one-task-out, which trains its models."
    if not arguments.leave_one_task_out:
        for name in ("folds", "teacher", "steps", "published", "distil_from"):
            if getattr(arguments, name):
                return f"--{name.replace('_', '-')} goes with --leave-one-task-out."
    if arguments.ablation:
        for name in ("leave_one_task_out", "reliability", "without_tsd"):
            if getattr(arguments, name):
                return f"--{name.replace('_', '-')} does not go with --ablation."
        if arguments.protocol == "published":
            return "--protocol published does not go with --ablation."
    if arguments.without_tsd and arguments.no_figures:
        return "--without-tsd is shown in a figure, and --no-figures draws none."
    return ""


def _train(arguments: Namespace, tasks: Sequence[LabelledTask], progress: Progress) -> Sequence[Fold]:
    from napari_d24fad.evaluation.folds import FoldPlan, parse_groups, train_folds
    from napari_d24fad.training.options import TrainingOptions
    from napari_d24fad.training.recipe import Recipe

    words = ["d24fad train DATA --out FILE", f"--teacher {arguments.teacher}", f"--steps {arguments.steps}"]
    words += ["--distil-from FILE"] if arguments.distil_from else []
    training = TrainingOptions()
    if arguments.published:
        words.append("--published --procedural 0 --no-selection")
        training = TrainingOptions.published()
    recipe = Recipe(
        data=arguments.data,
        teacher=arguments.teacher,
        distil_from=arguments.distil_from,
        leave_out=arguments.leave_out,
        training=replace(training, steps=arguments.steps, seed=arguments.seed),
        command=" ".join([*words, f"--seed {arguments.seed}"]),
    )
    if arguments.published:
        recipe = replace(recipe, procedural=0, select=False)
    groups = parse_groups(arguments.folds, [task.name for task in tasks])
    plan = FoldPlan(groups, recipe, arguments.device)
    return train_folds(plan, tasks, arguments.out, progress=progress)


def _ablate(arguments: Namespace, tasks: Sequence[LabelledTask], progress: Progress) -> None:
    from napari_d24fad.detection.detector import Detector
    from napari_d24fad.evaluation.ablation import ablate
    from napari_d24fad.evaluation.measure import Plan

    volumes = [task.name for task in tasks if task.is_volumes]
    if volumes:
        detail = f"--ablation is of single images; these tasks hold volumes: {', '.join(volumes)}."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    detector = Detector.load(arguments.model, arguments.device, "matched")
    plan = Plan(arguments.shots, arguments.draws, arguments.seed)
    found = {
        task.name: ablate(
            detector, task, plan, progress=part(progress, number / len(tasks), (number + 1) / len(tasks))
        )
        for number, task in enumerate(tasks)
    }
    with atomic_file(arguments.out / "ablation.json") as path:
        path.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found) if arguments.json else _ablation_table(found))


def _ablation_table(found: dict[str, dict[str, tuple[float, ...]]]) -> str:
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


def _summary(report: dict[str, Any]) -> str:
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
    if any(task["in_training_data"] for task in report["tasks"]):
        lines.append("* the model was trained on normal images of this task")
    left_out = sum(task["copies_left_out"] + task["unusable_left_out"] for task in report["tasks"])
    if left_out:
        lines.append(f"{left_out} scans were left out: copies of others, or not usable")
    return "\n".join(lines)


def _range(counts: Sequence[int]) -> str:
    fewest, most = min(counts), max(counts)
    return str(most) if fewest == most else f"{fewest} to {most}"


def _cell(task: dict[str, Any], metric: str, shots: int, method: str = _MODEL) -> str:
    for figure in task["figures"]:
        if (figure["metric"], figure["shots"], figure["method"]) == (metric, shots, method):
            ends = "" if figure["low"] is None else f" [{figure['low']:.3f}, {figure['high']:.3f}]"
            return f"{figure['mean']:.3f}{ends}"
    return "-"
