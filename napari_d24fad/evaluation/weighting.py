"""Scores with learn-to-weight (L2W) and without: the same comparison with equal weights."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import MAX_LEVELS, EncodedScan
from napari_d24fad.evaluation.draws import Draw
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.progress import CancelToken


@dataclass(frozen=True, slots=True)
class WeightingScores:
    """Scores of the published comparison on one draw of one task.

    Attributes:
        task: Name of the task.
        abnormal: The label of each query.
        learned: Its score with learn-to-weight.
        equal: Its score with the same weight for every reference.
    """

    task: str
    abnormal: tuple[bool, ...]
    learned: tuple[float, ...] = field(repr=False)
    equal: tuple[float, ...] = field(repr=False)


def score_both_ways(
    detector: Detector,
    task: LabelledTask,
    scans: Sequence[EncodedScan],
    draw: Draw,
    cancel: CancelToken,
) -> WeightingScores:
    """Scores the queries of one draw with learned and with equal weights.

    Args:
        detector: With the ``"paper"`` scoring.
        task: The labelled scans.
        scans: Each of them encoded by ``detector``.
        draw: References and queries.
        cancel: Stops it.

    Raises:
        PairingError: References cannot serve together.
        Cancelled: If a stop was asked for.
    """
    found = []
    for engine in (detector, _without_weighting(detector)):
        chosen = [scans[index].at_most(MAX_LEVELS) for index in draw.references]
        references = engine.reference_set(chosen, cancel=cancel)
        found.append(
            tuple(engine.examine(scans[index], references, cancel=cancel).score for index in draw.queries)
        )
    abnormal = tuple(task.scans[index].abnormal for index in draw.queries)
    return WeightingScores(task.name, abnormal, *found)


def _without_weighting(detector: Detector) -> Detector:
    """The same with equal weights: all projections, and so all products, are 0."""
    network = copy.deepcopy(detector.network)
    for parameter in network.weighting.parameters():
        parameter.data.zero_()
    model = replace(detector.model, network=network)
    return Detector(
        model, str(detector.device), detector.scoring_name, detector.ct_windows, detector.precision
    )
