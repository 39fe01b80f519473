"""``d24fad evaluate`` where the tasks hold volumes."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_d24fad.cli.arguments import Parser, count
from napari_d24fad.detection.atlas.names import DIRECTIONS
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import Progress, part

if TYPE_CHECKING:
    from napari_d24fad.detection.atlas.plan import Plan as AtlasPlan
    from napari_d24fad.evaluation.labelled import LabelledTask
    from napari_d24fad.evaluation.volumes.anatomy import FindAnatomy
    from napari_d24fad.evaluation.volumes.cases import Cases
    from napari_d24fad.evaluation.volumes.method import Method
    from napari_d24fad.evaluation.volumes.run import VolumeResult

_METHODS = ("brightest", "darkest", "z-score", "atlas", "model")
REGIONS = ("own", "carried", "voted")
_SHOTS = (8,)
_OWN = ("implant", "direction", "methods", "roi", "pictures")
_AS_IMAGES = ("leave_one_task_out", "ablation", "reliability", "without_tsd")


def add_options(command: Parser) -> None:
    """Adds the options of ``evaluate`` that volumes have."""
    group = command.add_argument_group("volumes")
    group.add_argument(
        "--implant",
        action="store_true",
        help="put lesions of known place into normal scans, and measure how they are found",
    )
    group.add_argument(
        "--direction",
        choices=DIRECTIONS,
        help="which departures count, where a method asks (default: both)",
    )
    group.add_argument(
        "--roi",
        choices=REGIONS,
        help="examine only what TASK/anatomy outlines: in each scan its own outline; that of the first scan "
        "of the task, carried to the others; or in the references their own, in the others a vote of these",
    )
    group.add_argument(
        "--pictures",
        type=count,
        metavar="N",
        help="also draw slices of the N lesions that each method finds best and of its N worst misses",
    )
    group.add_argument("--methods", nargs="+", choices=_METHODS, help="what to measure (default: all)")


def are_measured(arguments: Namespace, tasks: Sequence[LabelledTask]) -> bool:
    """Returns whether tasks are measured as volumes, not slice by slice as images are.

    Options that only the evaluation of images has choose that.

    Raises:
        ArgumentError: Options of both were given, or options of volumes for images, or some tasks
            hold volumes and others do not.
    """
    own = next((_option(name) for name in _OWN if getattr(arguments, name)), "")
    as_images = next((_option(name) for name in _AS_IMAGES if getattr(arguments, name)), "")
    if arguments.protocol == "published":
        as_images = "--protocol published"
    if arguments.roi and arguments.implant:
        raise ArgumentError(Code.BAD_ARGUMENT, "--roi does not go with --implant.")
    if own and as_images:
        raise ArgumentError(Code.BAD_ARGUMENT, f"{own} does not go with {as_images}.")
    volumes = [task.name for task in tasks if task.scans[0].kind == "grey volumes"]
    if own and len(volumes) < len(tasks):
        raise ArgumentError(Code.BAD_ARGUMENT, f"{own} is of tasks that hold grey volumes.")
    if as_images or not volumes:
        return False
    if len(volumes) < len(tasks):
        detail = f"These tasks hold volumes, the others do not: {', '.join(volumes)}. Name some with --task."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    learns = {"atlas", "model"} & {*(arguments.methods or _METHODS)}
    if arguments.abnormal_shots and (arguments.implant or not learns):
        detail = "--abnormal-shots goes, of volumes, with the methods atlas and model and without --implant."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    return True


def measure(arguments: Namespace, tasks: Sequence[LabelledTask], progress: Progress) -> None:
    """Measures every task, writes the results folder and prints tables or JSON.

    Raises:
        D24fadError: See `measure_volumes` and `save_volumes`.
    """
    from napari_d24fad.detection.detector import Detector
    from napari_d24fad.evaluation.measure import Plan
    from napari_d24fad.evaluation.volumes.cases import LabelledCases
    from napari_d24fad.evaluation.volumes.lesions import ImplantedCases
    from napari_d24fad.evaluation.volumes.product import DetectorMethod
    from napari_d24fad.evaluation.volumes.report import save_volumes
    from napari_d24fad.evaluation.volumes.run import measure_volumes
    from napari_d24fad.evaluation.volumes.tables import markdown

    plan = Plan(arguments.shots or _SHOTS, arguments.draws, arguments.seed, arguments.abnormal_shots)
    cases: Cases = ImplantedCases(arguments.seed) if arguments.implant else LabelledCases()
    heads = _heads() if arguments.implant else None
    finds = {task.name: _finder(arguments, task, heads) for task in tasks}
    model: list[Method] = []
    about = {
        "direction": arguments.direction or "default",
        "model": "",
        "device": "",
        "roi": arguments.roi or "",
    }
    if "model" in (arguments.methods or _METHODS):
        detector = Detector.load(arguments.model, arguments.device, arguments.scoring)
        about |= {"model": detector.model.card.name, "device": detector.device_label}
        model = [DetectorMethod(detector)]
    results = [
        measure_volumes(
            task,
            [*_methods(arguments, task, finds[task.name], heads), *model],
            cases,
            plan,
            find=finds[task.name],
            pictures=bool(arguments.pictures),
            progress=part(progress, number / len(tasks), (number + 1) / len(tasks)),
        )
        for number, task in enumerate(tasks)
    ]
    if arguments.implant:
        _check_implanted(results)
    roi = [f"roi-{arguments.roi}"] if arguments.roi else []
    name = "-".join(["implanted" if arguments.implant else "volumes", about["direction"], *roi])
    report = save_volumes(arguments.out, name, results, plan, about, arguments.pictures or 0)
    print(json.dumps(report) if arguments.json else markdown(report))
    print(f"Written: {name}", file=sys.stderr)


def _check_implanted(results: Sequence[VolumeResult]) -> None:
    without = [
        result.task.name
        for result in results
        if not any(each.kind for draw in result.draws for each in draw.queried)
    ]
    if without:
        detail = f"--implant: no brain of a T1-weighted head was found in {', '.join(without)}."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)


def _heads() -> AtlasPlan:
    """The plan for T1-weighted heads; each is aligned once, for the plan and for what it is measured in."""
    from napari_d24fad.detection.plans.head_mr import head_t1_plan
    from napari_d24fad.evaluation.volumes.anatomy import kept
    from napari_d24fad.progress import CancelToken

    plan = head_t1_plan()
    find = kept(lambda scan: plan.find(scan, CancelToken()))
    return replace(plan, find=lambda scan, _: find(scan))


def _finder(arguments: Namespace, task: LabelledTask, heads: AtlasPlan | None) -> FindAnatomy:
    """What finds the anatomy in which a task is measured."""
    from napari_d24fad.anatomy.find import find_anatomy
    from napari_d24fad.evaluation.volumes.anatomy import kept
    from napari_d24fad.evaluation.volumes.brain import brain_anatomy
    from napari_d24fad.evaluation.volumes.outlines import (
        CARRIED,
        VOTED,
        VotedOutlines,
        carried_outline,
        own_outlines,
    )
    from napari_d24fad.progress import CancelToken

    if arguments.roi == VOTED:
        return VotedOutlines(task)
    if arguments.roi:
        return kept(carried_outline(task) if arguments.roi == CARRIED else own_outlines(task))
    if heads is None:
        return kept(find_anatomy)
    return kept(brain_anatomy(lambda scan: heads.find(scan, CancelToken())))


def _methods(
    arguments: Namespace, task: LabelledTask, find: FindAnatomy, heads: AtlasPlan | None
) -> list[Method]:
    """The methods that were chosen and need no model."""
    from napari_d24fad.detection.channels.volume import Direction
    from napari_d24fad.detection.plans.choice import plan_for
    from napari_d24fad.detection.plans.drawn import drawn_plan
    from napari_d24fad.evaluation.volumes.atlas import methods_of
    from napari_d24fad.evaluation.volumes.baselines import BOTH, BoxZScore, Extreme

    chosen, direction = arguments.methods or _METHODS, arguments.direction
    methods: list[Method] = []
    methods += [Extreme(1, find)] if "brightest" in chosen else []
    methods += [Extreme(-1, find)] if "darkest" in chosen else []
    methods += [BoxZScore(direction or BOTH, find)] if "z-score" in chosen else []
    plan = None
    if "atlas" in chosen and arguments.roi:
        plan = drawn_plan(lambda scan, _: find(scan), hounsfield=task.scans[0].load().modality == "CT")
    elif "atlas" in chosen:  # implanted lesions are of T1-weighted heads and nothing else
        plan = heads or plan_for(task.scans[0].load())
    if plan is None and any(arguments.abnormal_shots) and "model" not in chosen:
        detail = f"--abnormal-shots: {task.name} is not compared place by place; within --roi it is, and the "
        detail += "method model learns slice by slice."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    if plan is not None:
        methods += methods_of(plan, Direction(direction) if direction else None)
    return methods


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
