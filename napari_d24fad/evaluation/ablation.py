"""What each part of the default scoring is worth: the same images and references without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch.nn.functional import normalize

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.scoring.matched import FOR_IMAGES, MatchedScoring
from napari_d24fad.detection.scoring.protocol import Features, Scoring
from napari_d24fad.evaluation.draws import draw_references
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.measure import Plan, encode_task
from napari_d24fad.metrics.scans import auroc
from napari_d24fad.progress import CancelToken, Progress, part, silent


@dataclass(frozen=True, slots=True)
class _OneSpace(MatchedScoring):
    """Matches the teacher's features alone, or the residuals alone."""

    residual: bool = False

    def match(self, query: Features, supports: Features) -> Features:
        half = len(query) // 2
        kept = slice(half, None) if self.residual else slice(half)
        # Twice, as two spaces are expected; the mean of the components stays the same.
        return MatchedScoring.match(self, query[kept], supports[kept]) * 2


@dataclass(frozen=True, slots=True)
class _NotAligned(MatchedScoring):
    """Compares features as they are."""

    def align(self, features: Features, statistics: Features) -> Features:
        return tuple(normalize(feature.float()).half() for feature in features)


def _options(method: MatchedScoring) -> dict[str, float | int | bool]:
    names = ("radius", "relative", "weighed", "mirrored", "smoothing", "top", "nearest")
    return {name: getattr(method, name) for name in names}


VARIANTS: Mapping[str, MatchedScoring] = {
    "as shipped": FOR_IMAGES,
    "teacher features alone": _OneSpace(**_options(FOR_IMAGES)),  # type: ignore[arg-type]  # by name, as declared
    "residuals alone": _OneSpace(**_options(FOR_IMAGES), residual=True),  # type: ignore[arg-type]  # as above
    "channels not aligned to the references": _NotAligned(**_options(FOR_IMAGES)),  # type: ignore[arg-type]  # as above
    "nearest reference instead of three": replace(FOR_IMAGES, nearest=1),
    "all references instead of three": replace(FOR_IMAGES, nearest=1000),
    "places weighed alike": replace(FOR_IMAGES, weighed=False),
    "no mirror images": replace(FOR_IMAGES, mirrored=False),
    "same place only": replace(FOR_IMAGES, radius=0),
    "twice the reach": replace(FOR_IMAGES, radius=4),
    "top 5 % of the map": replace(FOR_IMAGES, top=0.05),
    "mean of the map": replace(FOR_IMAGES, top=1.0),
}
"""By what is changed; each differs from the shipped scoring in one thing."""


def ablate(
    detector: Detector,
    task: LabelledTask,
    plan: Plan,
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> dict[str, tuple[float, ...]]:
    """Measures the image AUROC of each variant; images are encoded once for all of them.

    Args:
        detector: A model with the ``"matched"`` scoring.
        task: Single images, labelled.
        plan: Draws and seed; the most shots are taken.
        progress: Told how far it is.
        cancel: Stops it.

    Returns:
        By variant, one AUROC per draw.

    Raises:
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    scans = encode_task(detector, task, part(progress, 0, 0.2), cancel)
    drawn = draw_references(task, plan.shots, plan.draws, plan.seed)
    found: dict[str, tuple[float, ...]] = {}
    # A teacher alone has no residuals: its features are matched alone as it is.
    variants = {
        name: method
        for name, method in VARIANTS.items()
        if detector.network.has_student or not isinstance(method, _OneSpace)
    }
    for number, (name, method) in enumerate(variants.items()):
        areas = []
        for draw in drawn:
            references = [scans[index] for index in draw.references[: max(plan.shots)]]
            areas.append(_auroc(detector, task, scans, references, draw.queries, method, cancel))
        found[name] = tuple(areas)
        progress(0.2 + 0.8 * (number + 1) / len(variants), f"{task.name}: {name}")
    return found


def _auroc(
    detector: Detector,
    task: LabelledTask,
    scans: Sequence[EncodedScan],
    references: Sequence[EncodedScan],
    queries: Sequence[int],
    method: Scoring,
    cancel: CancelToken,
) -> float:
    known = detector.reference_set(references, method=method, cancel=cancel)
    scores = [detector.examine(scans[index], known, cancel=cancel).score for index in queries]
    return auroc(scores, [task.scans[index].abnormal for index in queries])
