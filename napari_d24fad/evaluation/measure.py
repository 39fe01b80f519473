"""One task measured by the honest protocol: every scan encoded once and examined on its own.

Nothing is scaled over the test set, nothing is smoothed across scans, and no scan is both
reference and query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import MAX_LEVELS, Encoded, EncodedScan
from napari_d24fad.detection.encoding.store import Shelf
from napari_d24fad.detection.examination import ExaminedSlices
from napari_d24fad.detection.examples.learned import Examples
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.evaluation.draws import Draw, draw_references
from napari_d24fad.evaluation.examples import Beside
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.names import method_with
from napari_d24fad.evaluation.nearest import BaselineScores, encode_patches, score_patches
from napari_d24fad.metrics.pixels import PixelCounts, PixelMetrics
from napari_d24fad.progress import CancelToken, Progress, part, silent

NORMAL_LEVEL, ONE_REGION = "normal level", "one false region"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a task is measured.

    Attributes:
        shots: Numbers of references.
        draws: How often references are drawn.
        seed: The same seed draws the same references.
        abnormal_shots: Numbers of abnormal examples beside the most references.
    """

    shots: tuple[int, ...] = (2, 4, 8)
    draws: int = 5
    seed: int = 0
    abnormal_shots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """What one draw with one number of references gave.

    Attributes:
        shots: Number of references.
        draw: Number of the draw, from 0.
        queries: Which scans of the task were examined.
        abnormal: Their labels.
        scores: By method, the score of each query.
        pixels: By method, pixel metrics of its maps; empty without outlines.
    """

    shots: int
    draw: int
    queries: tuple[int, ...]
    abnormal: tuple[bool, ...]
    scores: dict[str, tuple[float, ...]] = field(repr=False)
    pixels: dict[str, PixelMetrics] = field(default_factory=dict)


def encode_task(
    detector: Detector,
    task: LabelledTask,
    progress: Progress,
    cancel: CancelToken,
    shelf: Shelf | None = None,
) -> tuple[EncodedScan, ...]:
    """Encodes every scan of a task, once for all draws and numbers of references.

    Features leave the device at once, and come back to it a scan at a time.

    Args:
        detector: The model with its scoring.
        task: The labelled scans.
        progress: Told how far the encoding is.
        cancel: Stops it.
        shelf: Where features are kept; None for one of its own.

    Raises:
        D24fadError: A scan changed since it was checked.
        ExportError: NO_SCRATCH_SPACE.
        Cancelled: If a stop was asked for.
    """
    shelf = shelf or Shelf()
    encoded = []
    for number, labelled in enumerate(task.scans):
        found = detector.encode_scan(labelled.load(cancel), cancel=cancel)
        encoded.append(found.with_features(shelf.put(found.encoded.features)))
        progress((number + 1) / len(task.scans), f"{task.name}: encoding")
    return tuple(encoded)


class EncodedTask:
    """A task with all that is computed once: features for the detector and the baseline, and outlines.

    Args:
        detector: The model with its scoring.
        task: The labelled scans.
        progress: Told how far the encoding is.
        cancel: Stops it.

    Attributes:
        detector: As given.
        task: As given.
        scans: For each scan, what the detector encoded.
        masks: For each scan, the outline of its lesion; None where there is none.

    Raises:
        D24fadError: A scan changed since it was checked.
        Cancelled: If a stop was asked for.
    """

    def __init__(
        self, detector: Detector, task: LabelledTask, progress: Progress, cancel: CancelToken
    ) -> None:
        self.detector = detector
        self.task = task
        shelf = Shelf()
        self.scans = encode_task(detector, task, progress, cancel, shelf)
        self.masks = tuple(scan.load_mask(cancel) for scan in task.scans)
        self._patches = tuple(
            Encoded(found.levels, shelf.put(found.features))
            for found in (encode_patches(detector, scan, cancel) for scan in self.scans)
        )

    def references(self, indices: Sequence[int], cancel: CancelToken) -> References:
        """Makes a reference set of some of the scans, of as many slices as `Detector.encode` takes."""
        chosen = [self.scans[index].at_most(MAX_LEVELS) for index in indices]
        return self.detector.reference_set(chosen, cancel=cancel)

    def baseline(
        self, query: int, references: Sequence[int], shots: Sequence[int], cancel: CancelToken
    ) -> dict[int, BaselineScores]:
        """Scores a scan by nearest neighbours alone, for several numbers of references."""
        sampling = self.scans[query].prepared.sampling
        device = self.detector.device
        return score_patches(
            self._patches[query].on(device),
            [self._patches[index].at_most(MAX_LEVELS).on(device) for index in references],
            shots,
            sampling.inside(),
            sampling.side,
            cancel,
        )


def baseline_scores(
    baseline: Sequence[Mapping[int, BaselineScores]], shots: int
) -> dict[str, tuple[float, ...]]:
    """Returns the scores of the baseline by method, in the order of the queries."""
    return {
        "nearest neighbour, top 5 %": tuple(each[shots].top for each in baseline),
        "nearest neighbour, mean": tuple(each[shots].mean for each in baseline),
    }


def measure_task(
    encoded: EncodedTask, plan: Plan, *, progress: Progress = silent, cancel: CancelToken | None = None
) -> tuple[Scores, ...]:
    """Examines every query of every draw with every number of references.

    Args:
        encoded: The task.
        plan: Shots, draws and seed.
        progress: Told how far it is.
        cancel: Stops it.

    Returns:
        One entry per draw and number of references; methods are ``"model"``,
        ``"nearest neighbour, top 5 %"`` and ``"nearest neighbour, mean"``, and with the most references
        those with abnormal examples, if there are any; see `evaluation.examples`.

    Raises:
        PairingError: References cannot serve together.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    most = max(plan.abnormal_shots, default=0)
    drawn = draw_references(encoded.task, plan.shots, plan.draws, plan.seed, most)
    every, measured = len(drawn) * (1 + len(plan.shots)), list[Scores]()
    for number, draw in enumerate(drawn):
        start = number * (1 + len(plan.shots))
        step = f"{encoded.task.name}: draw {number + 1}"
        baseline = []
        for done, index in enumerate(draw.queries):
            baseline.append(encoded.baseline(index, draw.references, plan.shots, cancel))
            progress((start + (done + 1) / len(draw.queries)) / every, f"{step}, baseline")
        for at, shots in enumerate(plan.shots, start=1):
            beside = plan.abnormal_shots if shots == max(plan.shots) else ()
            tell = part(progress, (start + at) / every, (start + at + 1) / every)
            found, pixels = _examine(encoded, draw, shots, beside, tell, cancel)
            methods = {"model": found.pop("model"), **baseline_scores(baseline, shots), **found}
            abnormal = tuple(encoded.task.scans[index].abnormal for index in draw.queries)
            measured.append(Scores(shots, number, draw.queries, abnormal, methods, pixels))
    return tuple(measured)


def _examine(
    encoded: EncodedTask,
    draw: Draw,
    shots: int,
    abnormal_shots: Sequence[int],
    progress: Progress,
    cancel: CancelToken,
) -> tuple[dict[str, tuple[float, ...]], dict[str, PixelMetrics]]:
    """Scores every query of a draw by the model, and compares maps with outlines where there are any."""
    task = encoded.task
    references = encoded.references(draw.references[:shots], cancel)
    known = {
        count: [encoded.scans[index] for index in draw.examples[:count]] for count in abnormal_shots if count
    }
    learned = {count: Examples(references, scans, cancel) for count, scans in known.items()}
    beside = {count: Beside(references, scans, learned[count]) for count, scans in known.items()}
    counts: dict[str, PixelCounts] = {}
    scores: dict[str, list[float]] = defaultdict(list)
    for done, index in enumerate(draw.queries):
        scan, mask = encoded.scans[index], encoded.masks[index]
        plain = encoded.detector.examine(scan, references, cancel=cancel)
        found = ExaminedSlices(
            plain.values, plain.score, plain.slice_scores, plain.slice_p_values, plain.weights
        )
        maps = {"model": (found, references)}
        for count, each in learned.items():
            # What `Detector.examine` does with them, without drawing the rest again.
            maps[method_with(count)] = each.examine(scan, found)[0], each.references
            for name, score in beside[count].scores(scan).items():
                scores[method_with(count, name)].append(score)
        for method, (slices, against) in maps.items():
            scores[method].append(slices.score)
            # An abnormal scan without outline is neither: nobody knows which of its pixels are normal.
            if task.has_masks and (mask is not None or not task.scans[index].abnormal):
                counts.setdefault(method, PixelCounts(_levels(against))).add(slices.values, mask)
        progress((done + 1) / len(draw.queries), f"{task.name}: {shots} references")
    pixels = {method: each.metrics() for method, each in counts.items()}
    return {method: tuple(each) for method, each in scores.items()}, pixels


def _levels(references: References) -> dict[str, float]:
    """The thresholds that a user meets; they depend on the references, not on the query."""
    return {
        NORMAL_LEVEL: references.null.normal_level,
        ONE_REGION: references.calibration.level_one_region,
    }
