"""``d24fad evaluate``: measures a model, or models that never saw what they are measured on."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_d24fad.atomic import atomic_file, check_writable
from napari_d24fad.cli import volumes
from napari_d24fad.cli.arguments import Parser, add_device, add_json, count, counts, whole, wholes
from napari_d24fad.cli.console import progress_bar, warn, warn_of_device
from napari_d24fad.cli.evaluation_tables import ablation_table, summary
from napari_d24fad.errors import ArgumentError, Code, D24fadError
from napari_d24fad.network.card import SCORINGS
from napari_d24fad.progress import Progress, part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_d24fad.evaluation.labelled import LabelledTask
    from napari_d24fad.evaluation.run import Fold

_FEWEST_SHOTS = 2
_IMAGE_SHOTS = (2, 4, 8)
_DEFAULTS = {"model": "compact", "teacher": "compact", "steps": 2000}
"""What is taken where the command line says nothing; see `_without_effect`."""


def add_options(command: Parser) -> None:
    """Adds the options of ``evaluate``."""
    command.add_argument(
        "data",
        metavar="DATA",
        type=Path,
        help="folder of TASK/{normal,abnormal}[,masks], or TASK/train/good and TASK/test/{good,bad}",
    )
    # No default for options that go with some others only: one that is typed can be told.
    command.add_argument("--model", metavar="NAME|FILE", help="default: compact")
    command.add_argument("--task", nargs="+", default=[], metavar="TASK", help="default: all tasks of DATA")
    command.add_argument(
        "--shots",
        type=counts,
        metavar="N,N",
        help="references (default: 2,4,8; of volumes 8)",
    )
    command.add_argument(
        "--abnormal-shots",
        type=wholes,
        default=(),
        metavar="M,M",
        help="also measure with so many abnormal examples beside the most references, such as 0,1,2,4,8;"
        " of volumes by the method atlas",
    )
    command.add_argument("--draws", type=count, default=5, metavar="N", help="default: 5")
    command.add_argument("--seed", type=whole, default=0, metavar="N", help="default: 0")
    command.add_argument("--scoring", choices=SCORINGS, help="default: as the model says")
    command.add_argument(
        "--protocol",
        choices=("honest", "published"),
        default="honest",
        help="published repeats the paper's evaluation with its leaks (default: honest)",
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path("d24fad-evaluation"),
        metavar="DIR",
        help="default: d24fad-evaluation",
    )
    command.add_argument("--no-figures", action="store_true", help="write numbers only, which is faster")
    command.add_argument(
        "--without-tsd",
        metavar="NAME|FILE",
        help="a model trained without TSD, whose student embeddings are shown beside",
    )
    command.add_argument(
        "--reliability",
        action="store_true",
        help="also check stated error rates on normal scans, and what one abnormal reference does",
    )
    command.add_argument(
        "--ablation",
        action="store_true",
        help="instead, measure the default scoring of single images without each of its parts",
    )
    command.add_argument(
        "--leave-out",
        action="store_true",
        help="leave out scans and tasks that have a problem instead of refusing them",
    )
    volumes.add_options(command)
    held_out = command.add_argument_group("held-out tasks")
    held_out.add_argument(
        "--leave-one-task-out",
        action="store_true",
        help="train a model without each task, and measure the task with it, instead of --model",
    )
    held_out.add_argument(
        "--folds", metavar="A+B,C", help="hold these tasks out together instead of one by one"
    )
    held_out.add_argument("--teacher", help="as for train (default: compact)")
    held_out.add_argument("--steps", type=count, metavar="N", help="as for train (default: 2000)")
    held_out.add_argument(
        "--published",
        action="store_true",
        help="train by the paper's loss and optimiser, on the tasks of DATA alone, and take the last weights",
    )
    held_out.add_argument(
        "--distil-from",
        type=Path,
        metavar="NPZ",
        help="make the compact teacher anew for each model; the embedded one has seen other tasks",
    )
    add_device(command)
    add_json(command)


def run(arguments: Namespace) -> None:
    """Measures, writes the results folder, and prints the main figures or JSON.

    Raises:
        D24fadError: See the functions it calls.
    """
    _check(arguments)
    for option, value in _DEFAULTS.items():
        setattr(arguments, option, getattr(arguments, option) or value)
    check_writable(arguments.out)
    from napari_d24fad.evaluation.files import save_cost, save_evaluation  # imports torch
    from napari_d24fad.evaluation.measure import Plan
    from napari_d24fad.evaluation.reading import read_labelled
    from napari_d24fad.evaluation.run import Fold, Options, cost_of, evaluate

    warn_of_device(arguments.device)
    with progress_bar() as progress:
        tasks = read_labelled(
            arguments.data,
            arguments.task,
            shots=max(arguments.shots or _IMAGE_SHOTS),
            leave_out=arguments.leave_out,
            normal_only=arguments.implant,
            progress=part(progress, 0, 0.1),
        )
        if volumes.are_measured(arguments, tasks):
            volumes.measure(arguments, tasks, part(progress, 0.1, 1))
            return
        arguments.shots = arguments.shots or _IMAGE_SHOTS
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
            plan=Plan(arguments.shots, arguments.draws, arguments.seed, arguments.abnormal_shots),
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
    try:
        cost = cost_of(folds[0], evaluation.scoring, options)
    except D24fadError as error:
        warn(f"What an examination costs is left out, it could not be measured: {error}")
    else:
        report = save_cost(arguments.out, report, cost)
    print(json.dumps(report) if arguments.json else summary(report))
    print(f"Written: {evaluation.name}", file=sys.stderr)


def _check(arguments: Namespace) -> None:
    wrong = ""
    if arguments.shots and min(arguments.shots) < _FEWEST_SHOTS:
        wrong = "--shots: at least two references are needed."
    elif arguments.protocol == "published" and arguments.scoring == "matched":
        wrong = "The published protocol is that of the paper scoring."
    elif arguments.protocol == "published" and arguments.reliability:
        wrong = "--reliability goes with the honest protocol."
    elif arguments.abnormal_shots and (arguments.scoring == "paper" or arguments.protocol == "published"):
        wrong = "--abnormal-shots goes with the matched scoring."
    elif arguments.abnormal_shots and arguments.ablation:
        wrong = "--abnormal-shots does not go with --ablation."
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

    of_volumes = [task.name for task in tasks if task.is_volumes]
    if of_volumes:
        detail = f"--ablation is of single images; these tasks hold volumes: {', '.join(of_volumes)}."
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
    print(json.dumps(found) if arguments.json else ablation_table(found))
