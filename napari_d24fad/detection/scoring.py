"""How features become anomaly maps: the published comparison and our default behind one interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot, pad

from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.network.d24fad import D24FAD
from napari_d24fad.network.losses import distance_maps, enlarge
from napari_d24fad.network.weighting import LearnToWeight, combine

Features = tuple[Tensor, ...]
"""What a scoring keeps of ``N`` images: tensors whose first axis is ``N``."""


class Scoring(Protocol):
    """A way to compare images.

    ``encode`` is called once per image, ``compare`` once per query with the supports
    chosen for it. ``compare`` returns one map per component; `Null` makes them one.
    """

    @property
    def name(self) -> str:
        """What users choose it by."""

    @property
    def standardised(self) -> bool:
        """Whether components are divided by their mean among the references, then averaged."""

    @property
    def relative(self) -> bool:
        """Whether maps are divided by what references show at the same place."""

    @property
    def smoothing(self) -> float:
        """Standard deviation of the Gaussian that smooths a map, as a fraction of the side."""

    def encode(self, network: D24FAD, images: Tensor) -> Features:
        """Encodes network inputs ``(N, 3, S, S)``."""

    def compare(self, query: Features, supports: Features, side: int) -> tuple[Tensor, Tensor]:
        """Compares queries with supports.

        Args:
            query: Features of ``N`` images.
            supports: Features of ``K`` images.
            side: Side of the maps in pixels.

        Returns:
            Distances ``(N, components, side, side)`` and weights ``(N, K, 3)``, which sum to 1
            over the supports.
        """

    def image_score(self, values: Tensor) -> Tensor:
        """Turns the examined values ``(P,)`` of a smoothed map into one number."""


@dataclass(frozen=True, slots=True)
class PaperScoring:
    """The published comparison: student features of the query against the L2W-weighted supports.

    The score of an image is the largest value of its smoothed map.
    """

    name: str = "paper"
    standardised: bool = False
    relative: bool = False
    smoothing: float = 4 / 128

    def encode(self, network: D24FAD, images: Tensor) -> Features:
        """Keeps the student's three scales and their learn-to-weight projections."""
        student = network.student(network.teacher(images).embedding)
        return (*student, *network.weighting.project(student))

    def compare(self, query: Features, supports: Features, side: int) -> tuple[Tensor, Tensor]:
        """One component per scale: 1 - cosine between query and weighted supports."""
        weights = [
            LearnToWeight.logits(query[scale], supports[scale + 3]).softmax(dim=1) for scale in range(3)
        ]
        weighted = [combine(weights[scale], supports[scale]) for scale in range(3)]
        return distance_maps(query[:3], weighted, side), torch.stack(weights, dim=2)

    def image_score(self, values: Tensor) -> Tensor:
        """The largest value."""
        return values.max()


@dataclass(frozen=True, slots=True)
class MatchedScoring:
    """Our default: each position is matched to its nearest neighbour among the references.

    Two spaces are matched at three scales: the teacher's features, and the residual of
    teacher and student (what the student could not re-create), so that a departure
    is what neither space has seen in the references. The score of an image is the mean
    of the highest values of its smoothed map.

    Attributes:
        radius: Cells around the same position that are searched; None searches the
            whole image.
        relative: See `Scoring.relative`.
        smoothing: See `Scoring.smoothing`.
        top: Fraction of the map that the score is the mean of.
    """

    radius: int | None
    relative: bool
    smoothing: float
    top: float
    name: str = "matched"
    standardised: bool = True

    def encode(self, network: D24FAD, images: Tensor) -> Features:
        """Keeps unit-length teacher features and unit-length residuals per scale."""
        seen = network.teacher(images)
        copied = network.student(seen.embedding)
        teacher = [normalize(feature) for feature in seen.scales]
        residual = [normalize(t - normalize(s)) for t, s in zip(teacher, copied, strict=True)]
        return (*teacher, *residual)

    def compare(self, query: Features, supports: Features, side: int) -> tuple[Tensor, Tensor]:
        """One component per space and scale: 1 - cosine to the nearest support feature.

        The weight of a support is the share of positions where it is the nearest.
        """
        maps, weights = [], []
        for component, (own, others) in enumerate(zip(query, supports, strict=True)):
            likeness = self._likeness(own, others)
            best, nearest = likeness.max(dim=1)
            maps.append(enlarge(1 - best, side))
            if component < 3:
                counts = one_hot(nearest.flatten(1), len(others)).float()
                weights.append(counts.mean(dim=1))
        return torch.stack(maps, dim=1), torch.stack(weights, dim=2)

    def _likeness(self, query: Tensor, supports: Tensor) -> Tensor:
        """Highest cosine of each query position to each support, ``(N, K, H, W)``."""
        height, width = query.shape[2:]
        if self.radius is None:
            own = query.flatten(2).transpose(1, 2)
            # One support after the other: all pairs of positions of all supports fill the memory.
            anywhere = [(own @ support).amax(dim=-1) for support in supports.flatten(2)]
            return torch.stack(anywhere, dim=1).reshape(len(query), len(supports), height, width)
        padded = pad(supports, (self.radius,) * 4, mode="replicate")
        best: Tensor | None = None
        for row in range(2 * self.radius + 1):
            for column in range(2 * self.radius + 1):
                moved = padded[:, :, row : row + height, column : column + width]
                # Ten times faster than the matrix product that einsum makes of it.
                cosine = (query[:, None] * moved).sum(dim=2)
                best = cosine if best is None else torch.maximum(best, cosine)
        assert best is not None  # the loop runs at least once
        return best

    def image_score(self, values: Tensor) -> Tensor:
        """Mean of the highest values."""
        count = max(1, int(values.numel() * self.top))
        return values.topk(count).values.mean()


FOR_VOLUMES = MatchedScoring(radius=1, relative=True, smoothing=2 / 128, top=0.02)
"""Slices of one level show the same anatomy at the same place."""

FOR_IMAGES = MatchedScoring(radius=None, relative=False, smoothing=4 / 128, top=0.05)
"""Single images are framed by hand: anything may be anywhere."""


def scoring(name: str, volume: bool) -> Scoring:
    """Returns a scoring by name.

    Args:
        name: ``"paper"`` or ``"matched"``.
        volume: Whether slices of volumes are compared, which lie at the same place.

    Raises:
        ArgumentError: BAD_ARGUMENT for another name.
    """
    if name == "paper":
        return PaperScoring()
    if name == "matched":
        return FOR_VOLUMES if volume else FOR_IMAGES
    raise ArgumentError(Code.BAD_ARGUMENT, "The scoring must be paper or matched.")
