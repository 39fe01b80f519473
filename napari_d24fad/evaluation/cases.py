"""Single cases worth looking at: lesions found best, lesions missed, normal scans taken for abnormal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_d24fad.evaluation.measure import EncodedTask, Scores
from napari_d24fad.progress import CancelToken

FOUND, MISSED, FALSE_ALARM = "found", "missed", "false alarm"
PER_KIND = 6


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One examined scan, reduced to the slice that shows most.

    Attributes:
        task: Name of its task.
        kind: `FOUND`, `MISSED` or `FALSE_ALARM`.
        folder: Its folder within the task.
        number: Its number there, from 1.
        rank: Share of the normal queries that score lower, 0 to 1.
        level: Map value above which a normal scan shows at most one region.
        aspect: Height of a pixel divided by its width.
        image: ``(rows, columns)`` or ``(rows, columns, 3)`` in 0 to 1, as the network is shown it.
        values: ``(rows, columns)`` map, NaN where not examined.
        mask: ``(rows, columns)`` outline of the lesion; None where there is none.
    """

    task: str
    kind: str
    folder: str
    number: int
    rank: float
    level: float
    aspect: float
    image: npt.NDArray[np.float32] = field(repr=False)
    values: npt.NDArray[np.float32] = field(repr=False)
    mask: npt.NDArray[np.bool_] | None = field(repr=False)


def pick_cases(
    encoded: EncodedTask, measured: Sequence[Scores], references: Sequence[int], cancel: CancelToken
) -> list[Case]:
    """Picks the best and the worst cases of one draw, and examines them again for their maps.

    Args:
        encoded: The task.
        measured: What all draws gave; the first draw with the most references is looked at.
        references: The references of that draw.
        cancel: Stops it.

    Returns:
        Up to `PER_KIND` of each kind, the most extreme first.

    Raises:
        Cancelled: If a stop was asked for.
    """
    scores = next(each for each in measured if each.shots == len(references))
    values = np.array(scores.scores["model"])
    abnormal = np.array(scores.abnormal)
    order = np.argsort(values, kind="stable")
    falling = order[::-1]
    chosen = [
        (FOUND, falling[abnormal[falling]][:PER_KIND]),
        (MISSED, order[abnormal[order]][:PER_KIND]),
        (FALSE_ALARM, falling[~abnormal[falling]][:PER_KIND]),
    ]
    known = encoded.references(references, cancel)
    cases = []
    for kind, positions in chosen:
        for position in positions:
            index = scores.queries[position]
            scan = encoded.scans[index]
            found = encoded.detector.examine(scan, known, cancel=cancel)
            prepared = scan.prepared
            maps = prepared.orientation.apply(found.values)
            mask = encoded.masks[index]
            upright = None if mask is None else prepared.orientation.apply(mask)
            at = _slice_shown(maps, upright)
            cases.append(
                Case(
                    task=encoded.task.name,
                    kind=kind,
                    folder=encoded.task.scans[index].folder,
                    number=encoded.task.scans[index].number,
                    rank=float((values[~abnormal] < values[position]).mean()),
                    level=found.level_one_region,
                    aspect=prepared.scan.spacing[1] / prepared.scan.spacing[2],
                    image=prepared.window.apply(prepared.scan.voxels[at]),
                    values=maps[at],
                    mask=None if upright is None else upright[at],
                )
            )
    return cases


def _slice_shown(maps: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_] | None) -> int:
    """The slice with most of the lesion, or where that is not known, with the highest value."""
    if mask is not None:
        return int(mask.sum(axis=(1, 2)).argmax())
    return int(np.nan_to_num(maps, nan=-np.inf).max(axis=(1, 2)).argmax())
