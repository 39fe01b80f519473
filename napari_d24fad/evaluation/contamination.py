"""What one abnormal reference costs, whether it is flagged, and what leaving it out gives back."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import MAX_LEVELS, EncodedScan
from napari_d24fad.detection.references.pairing import MIN_REFERENCES
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.evaluation.draws import split
from napari_d24fad.evaluation.labelled import LabelledScan
from napari_d24fad.metrics.scans import auroc
from napari_d24fad.progress import CancelToken, Progress, silent


@dataclass(frozen=True, slots=True)
class ContaminatedDraw:
    """One draw: the same references without and with one of them replaced by an abnormal scan.

    Attributes:
        found: Whether the abnormal reference was flagged.
        false_flags: Normal references flagged, in the clean and the contaminated set together.
        clean: AUROC with normal references only.
        contaminated: AUROC with the abnormal one among them.
        without_flagged: AUROC after all flagged references were left out of the contaminated set.
    """

    found: bool
    false_flags: int
    clean: float
    contaminated: float
    without_flagged: float


@dataclass(frozen=True, slots=True)
class Contamination:
    """What was measured on one task.

    Attributes:
        shots: References per draw.
        draws: What each draw showed.
    """

    shots: int
    draws: tuple[ContaminatedDraw, ...]

    @property
    def found(self) -> float:
        """Share of draws in which the abnormal reference was flagged."""
        return float(np.mean([draw.found for draw in self.draws]))

    @property
    def false_flags(self) -> float:
        """Share of normal references that were flagged, over clean and contaminated sets."""
        return float(np.mean([draw.false_flags for draw in self.draws]) / (2 * self.shots - 1))

    @property
    def lost(self) -> float:
        """Mean AUROC that the abnormal reference costs when it is kept."""
        return float(np.mean([draw.clean - draw.contaminated for draw in self.draws]))

    @property
    def lost_without_flagged(self) -> float:
        """Mean AUROC still lost after flagged references were left out."""
        return float(np.mean([draw.clean - draw.without_flagged for draw in self.draws]))


def contamination(
    detector: Detector,
    normals: Sequence[EncodedScan],
    abnormals: Sequence[EncodedScan],
    shots: int = 8,
    draws: int = 20,
    seed: int = 0,
    queries: int = 20,
    *,
    scans: tuple[Sequence[LabelledScan], Sequence[LabelledScan]] | None = None,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Contamination:
    """Replaces one of the references by an abnormal scan, again and again.

    Args:
        detector: What encoded the scans.
        normals: Normal scans of one task, all different.
        abnormals: Abnormal scans of it.
        shots: References per draw.
        draws: How often references are drawn.
        seed: The same seed draws the same references and queries.
        queries: Normal and abnormal queries per draw, so many of each; never references.
        scans: What is known of each normal and of each abnormal scan; see `reliability`.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        TrainingError: DATA_LAYOUT if there are too few scans.
        Cancelled: If a stop was asked for.
    """
    if len(abnormals) < 2:
        raise TrainingError(Code.DATA_LAYOUT, "Two abnormal scans are needed.")
    cancel = cancel or CancelToken()
    results = []
    for draw in range(draws):
        chance = random.Random(seed + draw)
        order = chance.sample(range(len(normals)), len(normals))
        first, *others = chance.sample(range(len(abnormals)), len(abnormals))
        patients = () if scans is None else (scans[1][first].patient,)
        chosen, rest = split(order, shots, scans and scans[0], patients)
        if scans is not None:
            known = {scans[0][index].patient for index in chosen} | set(patients)
            others = [index for index in others if scans[1][index].patient not in known - {""}]
        if not others:
            raise TrainingError(Code.DATA_LAYOUT, "No abnormal scan of another patient is left to examine.")
        asked = ([normals[at] for at in rest[:queries]], [abnormals[at] for at in others[:queries]])
        normal = [normals[index].at_most(MAX_LEVELS) for index in chosen]
        clean = detector.reference_set(normal, cancel=cancel)
        bad = detector.reference_set([*normal[:-1], abnormals[first].at_most(MAX_LEVELS)], cancel=cancel)
        kept = [each for each, check in zip(bad.encoded, bad.checks, strict=True) if not check.flagged]
        checked = bad
        if MIN_REFERENCES <= len(kept) < shots:
            checked = detector.reference_set(kept, cancel=cancel)
        auroc = [_auroc(detector, each, asked, cancel) for each in (clean, bad)]
        auroc.append(auroc[1] if checked is bad else _auroc(detector, checked, asked, cancel))
        flags = [check.flagged for check in bad.checks]
        false = sum(flags[:-1]) + sum(check.flagged for check in clean.checks)
        results.append(ContaminatedDraw(flags[-1], false, *auroc))
        progress((draw + 1) / draws, f"Draw {draw + 1}")
    return Contamination(shots, tuple(results))


def _auroc(
    detector: Detector,
    references: References,
    queries: tuple[Sequence[EncodedScan], Sequence[EncodedScan]],
    cancel: CancelToken,
) -> float:
    labels = [False] * len(queries[0]) + [True] * len(queries[1])
    scores = [detector.examine(each, references, cancel=cancel).score for group in queries for each in group]
    return auroc(scores, labels)
