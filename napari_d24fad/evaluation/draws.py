"""Which scans are references and which are examined, drawn anew several times."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.evaluation.labelled import LabelledScan, LabelledTask


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw, as indices into the scans of a task.

    Attributes:
        references: As many as the most shots; fewer shots use the first of them.
        queries: All other scans that may be examined, the same for every number of shots.
        examples: Abnormal scans that are shown as such, as many as the most that are wanted; fewer
            use the first of them.
    """

    references: tuple[int, ...]
    queries: tuple[int, ...]
    examples: tuple[int, ...] = ()


def split(
    order: Sequence[int], shots: int, scans: Sequence[LabelledScan] | None, patients: Sequence[str] = ()
) -> tuple[list[int], list[int]]:
    """Splits scans into references and those to examine, by the rules of `draw_references`.

    Args:
        order: Indices of the scans as they were drawn.
        shots: How many references.
        scans: What is known of each scan; None if each may serve as either.
        patients: More patients that must not be examined.

    Returns:
        The first scans that may be references, and the others that may be examined.

    Raises:
        TrainingError: DATA_LAYOUT if there are too few of either.
    """
    references = [at for at in order if scans is None or scans[at].may_refer][:shots]
    rest = [at for at in order if at not in references]
    if scans is not None:
        known = {scans[at].patient for at in references} | set(patients)
        rest = [at for at in rest if scans[at].may_query and scans[at].patient not in known - {""}]
    if len(references) < shots or not rest:
        detail = f"{shots} normal scans that may be references and others to examine are needed."
        raise TrainingError(Code.DATA_LAYOUT, detail)
    return references, rest


def draw_references(
    task: LabelledTask, shots: Sequence[int], draws: int, seed: int, examples: int = 0
) -> tuple[Draw, ...]:
    """Draws references; no scan, and no patient whose file says who it is, is on both sides.

    Args:
        task: The labelled scans, without copies.
        shots: Numbers of references that are wanted.
        draws: How many draws.
        seed: The same seed draws the same references, and the same examples.
        examples: How many abnormal examples to draw beside; queries are without them.

    Raises:
        TrainingError: DATA_LAYOUT if no abnormal scan would be left to examine.
    """
    made = []
    for number in range(draws):
        # Sampled one by one, so that asking for more shots keeps the first references.
        pool = list(task.references)
        random.Random(seed + number).shuffle(pool)
        references = tuple(pool[: max(shots)])
        known = _draw_examples(task, examples, seed + number)
        used = {*references, *known}
        patients = {task.scans[index].patient for index in used} - {""}
        queries = tuple(
            index
            for index, scan in enumerate(task.scans)
            if scan.may_query and index not in used and scan.patient not in patients
        )
        if known and not any(task.scans[index].abnormal for index in queries):
            detail = f"{task.name}: {examples} abnormal examples leave no abnormal scan to examine."
            raise TrainingError(Code.DATA_LAYOUT, detail)
        made.append(Draw(references, queries, known))
    return tuple(made)


def _draw_examples(task: LabelledTask, count: int, seed: int) -> tuple[int, ...]:
    pool = [index for index, scan in enumerate(task.scans) if scan.abnormal]
    random.Random(f"abnormal {seed}").shuffle(pool)
    return tuple(pool[:count])
