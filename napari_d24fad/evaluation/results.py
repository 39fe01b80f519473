"""What an evaluation gives: figures per task, what they are to be held against, and what made them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from napari_d24fad.evaluation.cases import Case
from napari_d24fad.evaluation.contamination import Contamination
from napari_d24fad.evaluation.embeddings import Embeddings
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.measure import Plan, Scores
from napari_d24fad.evaluation.reliability import Reliability
from napari_d24fad.evaluation.summary import Estimate, Row
from napari_d24fad.evaluation.weighting import WeightingScores

HONEST, PUBLISHED = "honest", "published"


@dataclass(frozen=True, slots=True, eq=False)
class Checks:
    """What was asked for besides accuracy; None where it was not.

    Attributes:
        reliability: Whether stated error rates hold on normal scans.
        contamination: What one abnormal reference does.
    """

    reliability: Reliability | None = None
    contamination: Contamination | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TaskResult:
    """What was measured on one task.

    Attributes:
        task: The labelled scans.
        model_name: The model it was measured with.
        model_sha256: SHA-256 of its weights.
        trained_on: Whether the model's card names the task among its training data.
        statistic: Name of the single statistic that tells the labels apart best.
        statistic_auroc: Its AUROC.
        scores: Every score of every draw.
        rows: The figures.
        checks: Reliability and contamination.
    """

    task: LabelledTask
    model_name: str
    model_sha256: str
    trained_on: bool
    statistic: str
    statistic_auroc: float
    scores: tuple[Scores, ...] = field(repr=False)
    rows: tuple[Row, ...] = field(repr=False)
    checks: Checks = field(default_factory=Checks)

    def examined(self, *, abnormal: bool) -> tuple[int, ...]:
        """Returns how many scans with this label each draw examined, whatever the shots."""
        shots = self.scores[0].shots
        return tuple(each.abnormal.count(abnormal) for each in self.scores if each.shots == shots)

    def figure(self, metric: str, shots: int, method: str = "model") -> Estimate | None:
        """Returns one figure; None if it was not measured."""
        wanted = (shots, method, metric)
        return next((r.estimate for r in self.rows if (r.shots, r.method, r.metric) == wanted), None)


@dataclass(frozen=True, slots=True, eq=False)
class Illustration:
    """What the figures of one task are drawn from.

    Attributes:
        weighting: Scores with and without learn-to-weight; None of a teacher alone.
        embeddings: Student embeddings; None of a teacher alone.
        beside: The same of the model to compare with; None without one.
        cases: Single cases; empty under the published protocol.
    """

    weighting: WeightingScores | None
    embeddings: Embeddings | None
    beside: Embeddings | None
    cases: tuple[Case, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """One run of the evaluation.

    Attributes:
        name: Name of the run: of its model, scoring and protocol.
        scoring: ``"paper"`` or ``"matched"``.
        protocol: `HONEST` or `PUBLISHED`.
        plan: Shots, draws and seed.
        device: Where it ran.
        tasks: What was measured.
    """

    name: str
    scoring: str
    protocol: str
    plan: Plan
    device: str
    tasks: tuple[TaskResult, ...] = field(repr=False)

    def mean(self, metric: str, shots: int, method: str = "model") -> float | None:
        """Mean of a figure over the tasks that have it; None if none has."""
        found: Sequence[Estimate | None] = [task.figure(metric, shots, method) for task in self.tasks]
        values = [each.mean for each in found if each is not None]
        return sum(values) / len(values) if values else None
