"""The evaluation of one model on several tasks, from labelled scans to figures and what illustrates them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.evaluation.cases import Case, pick_cases
from napari_d24fad.evaluation.contamination import contamination
from napari_d24fad.evaluation.cost import Cost, measure_cost
from napari_d24fad.evaluation.draws import Draw, draw_references
from napari_d24fad.evaluation.embeddings import Embeddings, embed
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.measure import EncodedTask, Plan, Scores, encode_task, measure_task
from napari_d24fad.evaluation.published import measure_as_published
from napari_d24fad.evaluation.reliability import reliability
from napari_d24fad.evaluation.results import (
    HONEST,
    PUBLISHED,
    Checks,
    Evaluation,
    Illustration,
    TaskResult,
)
from napari_d24fad.evaluation.summary import summarise
from napari_d24fad.evaluation.trivial import best_statistic
from napari_d24fad.evaluation.weighting import score_both_ways
from napari_d24fad.network.checkpoint import load_model
from napari_d24fad.progress import CancelToken, Progress, part, silent

_COST_QUERIES = 8


@dataclass(frozen=True, slots=True)
class Fold:
    """A model and the tasks to measure it on.

    Attributes:
        model: Name or file of the model.
        tasks: The labelled scans.
    """

    model: str | Path
    tasks: tuple[LabelledTask, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Options:
    """How to evaluate.

    Attributes:
        plan: Shots, draws and seed.
        protocol: `HONEST`, or `PUBLISHED`, which takes the ``"paper"`` scoring.
        scoring: ``"paper"`` or ``"matched"``; None takes what the model's card says.
        device: See `choose_device`.
        illustrate: Whether to compute what figures are drawn from.
        beside: A model whose student embeddings are shown beside, such as one trained without
            teacher-student distillation; None for none.
        check: Whether to check stated error rates on normal scans, and what one abnormal
            reference does.
    """

    plan: Plan = field(default_factory=Plan)
    protocol: str = HONEST
    scoring: str | None = None
    device: str = "auto"
    illustrate: bool = True
    beside: str | Path | None = None
    check: bool = False


def evaluate(
    folds: Sequence[Fold],
    options: Options,
    name: str = "",
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> tuple[Evaluation, tuple[Illustration, ...]]:
    """Measures models on tasks.

    Args:
        folds: Each model with its tasks.
        options: How.
        name: What is measured; empty for the name of the first model. The run is called by it, the
            scoring and the protocol.
        progress: Told how far it is.
        cancel: Stops it.

    Returns:
        The figures, and for each task what illustrates them; nothing where that is not wanted.

    Raises:
        D24fadError: A model cannot be loaded, or its tasks cannot be measured.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    results: list[TaskResult] = []
    illustrations: list[Illustration] = []
    every = sum(len(fold.tasks) for fold in folds)
    scoring = "paper" if options.protocol == PUBLISHED else options.scoring
    for fold in folds:
        detector = Detector(load_model(fold.model), options.device, scoring)
        beside = Detector.load(options.beside, options.device, "paper") if options.beside else None
        for task in fold.tasks:
            tell = part(progress, len(results) / every, (len(results) + 1) / every)
            result, illustration = _evaluate_task(detector, beside, task, options, tell, cancel)
            results.append(result)
            illustrations += [illustration] if illustration else []
    ending = "" if options.protocol == HONEST else f"-{options.protocol}"
    evaluation = Evaluation(
        name=f"{name or detector.model.card.name}-{detector.scoring_name}{ending}",
        scoring=detector.scoring_name,
        protocol=options.protocol,
        plan=options.plan,
        device=detector.device_label,
        tasks=tuple(results),
    )
    return evaluation, tuple(illustrations)


def _evaluate_task(
    detector: Detector,
    beside: Detector | None,
    task: LabelledTask,
    options: Options,
    progress: Progress,
    cancel: CancelToken,
) -> tuple[TaskResult, Illustration | None]:
    plan, cases, checks = options.plan, [], Checks()
    measuring = part(progress, 0.2, 0.9 if options.illustrate or options.check else 1)
    encoded = EncodedTask(detector, task, part(progress, 0, 0.2), cancel)
    if options.protocol == PUBLISHED:
        scores = measure_as_published(encoded, plan, progress=measuring, cancel=cancel)
    else:
        scores = measure_task(encoded, plan, progress=measuring, cancel=cancel)
        if options.illustrate:
            cases = pick_cases(encoded, scores, _first_draw(task, plan).references, cancel)
        if options.check:
            checks = _check(detector, task, encoded.scans, plan, cancel)
    result = _result(detector, task, scores, checks)
    if not options.illustrate:
        return result, None
    drawing = part(progress, 0.9, 1)
    if not detector.network.has_student:
        shown = _embed_beside(beside, task, drawing, cancel)
        return result, Illustration(weighting=None, embeddings=None, beside=shown, cases=tuple(cases))
    return result, _illustrate(detector, beside, task, encoded.scans, options, cases, drawing, cancel)


def _illustrate(
    detector: Detector,
    beside: Detector | None,
    task: LabelledTask,
    scans: Sequence[EncodedScan],
    options: Options,
    cases: Sequence[Case],
    progress: Progress,
    cancel: CancelToken,
) -> Illustration:
    paper = detector
    if detector.scoring_name != "paper":
        paper = Detector(detector.model, options.device, "paper")
        scans = encode_task(paper, task, part(progress, 0, 0.5), cancel)
    labels = [scan.abnormal for scan in task.scans]
    return Illustration(
        weighting=score_both_ways(paper, task, scans, _first_draw(task, options.plan), cancel),
        embeddings=embed(task.name, labels, scans),
        beside=_embed_beside(beside, task, part(progress, 0.5, 1), cancel),
        cases=tuple(cases),
    )


def _check(
    detector: Detector, task: LabelledTask, scans: Sequence[EncodedScan], plan: Plan, cancel: CancelToken
) -> Checks:
    """Checks stated error rates on normal scans, and what one abnormal reference does."""
    normal, abnormal = (
        [each for each, labelled in zip(scans, task.scans, strict=True) if labelled.abnormal is label]
        for label in (False, True)
    )
    known = (
        [labelled for labelled in task.scans if not labelled.abnormal],
        [labelled for labelled in task.scans if labelled.abnormal],
    )
    shots, draws, seed = max(plan.shots), plan.draws, plan.seed
    return Checks(
        reliability(detector, normal, shots, draws, seed, scans=known[0], cancel=cancel),
        contamination(detector, normal, abnormal, shots, draws, seed, scans=known, cancel=cancel),
    )


def _first_draw(task: LabelledTask, plan: Plan) -> Draw:
    return draw_references(task, plan.shots, 1, plan.seed)[0]


def _embed_beside(
    beside: Detector | None, task: LabelledTask, progress: Progress, cancel: CancelToken
) -> Embeddings | None:
    if beside is None:
        return None
    labels = [scan.abnormal for scan in task.scans]
    return embed(task.name, labels, encode_task(beside, task, progress, cancel))


def _result(detector: Detector, task: LabelledTask, scores: tuple[Scores, ...], checks: Checks) -> TaskResult:
    queried = [scan for scan in task.scans if scan.may_query]
    statistic, auroc = best_statistic(
        [scan.statistics for scan in queried], [scan.abnormal for scan in queried]
    )
    card = detector.model.card
    return TaskResult(
        task=task,
        model_name=card.name,
        model_sha256=detector.model.sha256,
        # A card may add to the name what was used, as "TASK: normal images (80)".
        trained_on=any(source.name.split(":")[0] == task.name for source in card.data),
        statistic=statistic,
        statistic_auroc=auroc,
        scores=scores,
        rows=summarise(scores),
        checks=checks,
    )


def cost_of(fold: Fold, scoring: str, options: Options, cancel: CancelToken | None = None) -> Cost:
    """Measures what an examination with the most references costs, on the first task of a fold.

    To be called once the evaluation is saved: the process that is measured may be killed.

    Args:
        fold: A model and its tasks.
        scoring: ``"paper"`` or ``"matched"``.
        options: As for `evaluate`.
        cancel: Stops it.

    Raises:
        D24fadError: See `measure_cost`.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    task = fold.tasks[0]
    draw = _first_draw(task, options.plan)
    references = [task.scans[index].load(cancel) for index in draw.references]
    queries = [task.scans[index].load(cancel) for index in draw.queries[:_COST_QUERIES]]
    return measure_cost(fold.model, options.device, scoring, references, queries)
