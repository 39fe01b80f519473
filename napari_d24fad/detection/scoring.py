"""How features become anomaly maps: the published comparison and our default behind one interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize, one_hot, pad

from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.network.d24fad import D24FAD
from napari_d24fad.network.losses import distance_maps
from napari_d24fad.network.weighting import LearnToWeight, combine

Features = tuple[Tensor, ...]
"""What a scoring keeps of ``N`` images: tensors whose first axis is ``N``."""


class Scoring(Protocol):
    """A way to compare images.

    ``encode`` is called once per image, ``statistics`` once per set of references, ``align``
    once per image and set, ``compare`` once per query with the supports chosen for it.
    ``compare`` returns one map per component; `Null` makes them one.
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

    @property
    def mirrored(self) -> bool:
        """Whether queries are compared with the mirror images of the references too."""

    def map_side(self, side: int) -> int:
        """Side of the maps in pixels for network inputs of ``side`` pixels."""

    def encode(self, network: D24FAD, images: Tensor) -> Features:
        """Encodes network inputs ``(N, 3, S, S)``."""

    def statistics(self, references: Sequence[Features]) -> Features:
        """Measures what `align` needs to know of a set of references."""

    def align(self, features: Features, statistics: Features) -> Features:
        """Expresses the features of a query or reference relative to the set of references."""

    def compare(
        self, query: Features, supports: Features, owners: Sequence[int], side: int
    ) -> tuple[Tensor, Tensor]:
        """Compares queries with supports.

        Args:
            query: Aligned features of ``N`` images.
            supports: Aligned features of ``S`` images.
            owners: For each support, the index of the reference it is of.
            side: Side of the maps in pixels, of `map_side`.

        Returns:
            Distances ``(N, components, side, side)`` and weights ``(N, S, scales)``, which
            sum to 1 over the supports.
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
    mirrored: bool = False

    def map_side(self, side: int) -> int:
        """That of the input."""
        return side

    def encode(self, network: D24FAD, images: Tensor) -> Features:
        """Keeps the student's three scales and their learn-to-weight projections."""
        student = network.student(network.teacher(images).embedding)
        return (*student, *network.weighting.project(student))

    def statistics(self, references: Sequence[Features]) -> Features:
        """None are needed."""
        return ()

    def align(self, features: Features, statistics: Features) -> Features:
        """Features are compared as they are."""
        return features

    def compare(
        self, query: Features, supports: Features, owners: Sequence[int], side: int
    ) -> tuple[Tensor, Tensor]:
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
    """Our default: each position is matched to its nearest neighbours among the references.

    Two spaces are matched, each at the middle and the coarse scale: the teacher's features,
    and the residual of teacher and student (what the student could not re-create).
    Channels are first centred and scaled by what the references show, so that the cosine
    compares how two places differ from the usual and not what all places share. The
    distance is the mean over the nearest few references: a single reference that shows
    the same lesion does not hide it.

    Attributes:
        radius: Cells around the same position that are searched.
        relative: See `Scoring.relative`.
        mirrored: See `Scoring.mirrored`.
        smoothing: See `Scoring.smoothing`.
        top: Fraction of the map that the score of an image is the mean of.
        nearest: How many references the distance is the mean of, the nearest at each position.
    """

    radius: int
    relative: bool
    mirrored: bool
    smoothing: float
    top: float
    nearest: int = 3
    name: str = "matched"
    standardised: bool = True

    def map_side(self, side: int) -> int:
        """A quarter of the input's: twice as fine as the middle scale."""
        return side // 4

    def encode(self, network: D24FAD, images: Tensor) -> Features:
        """Keeps the teacher's features and the residuals of the middle and the coarse scale."""
        seen = network.teacher(images)
        copied = network.student(seen.embedding)
        pairs = list(zip(seen.scales, copied, strict=True))[1:]
        residual = [normalize(teacher) - normalize(student) for teacher, student in pairs]
        return (*seen.scales[1:], *residual)

    def statistics(self, references: Sequence[Features]) -> Features:
        """Mean and standard deviation of each channel over all places of all references."""
        found: list[Tensor] = []
        for tensors in zip(*references, strict=True):
            # Image by image in float32, the few sums in float64: no copy of all features is made.
            means = torch.cat([tensor.mean(dim=(2, 3)) for tensor in tensors]).double()
            squares = torch.cat([tensor.square().mean(dim=(2, 3)) for tensor in tensors]).double()
            mean = means.mean(dim=0)
            deviation = (squares.mean(dim=0) - mean.square()).clamp(min=0).sqrt()
            # A channel that is silent in the references must not become deafening by a division by nearly 0.
            deviation = deviation.clamp(min=0.05 * deviation.square().mean().sqrt() + 1e-6)
            found += [value.float()[:, None, None] for value in (mean, deviation)]
        return tuple(found)

    def align(self, features: Features, statistics: Features) -> Features:
        """Centres and scales the channels, then makes the features of each position unit length."""
        pairs = zip(statistics[::2], statistics[1::2], strict=True)
        return tuple(
            normalize((feature - mean) / deviation)
            for feature, (mean, deviation) in zip(features, pairs, strict=True)
        )

    def compare(
        self, query: Features, supports: Features, owners: Sequence[int], side: int
    ) -> tuple[Tensor, Tensor]:
        """One component per space and scale: 1 - cosine to the nearest features of the nearest references.

        The weight of a support is the share of positions where it is the nearest, in the
        teacher's space.
        """
        scales = len(query) // 2
        maps, weights = [], []
        for component, (own, others) in enumerate(zip(query, supports, strict=True)):
            likeness = self._likeness(own, others)
            best = _best_of_each(likeness, owners)
            count = min(self.nearest, best.shape[1])
            distance = 1 - best.topk(count, dim=1).values.mean(dim=1)
            maps.append(interpolate(distance[:, None], (side, side), mode="bilinear")[:, 0])
            if component < scales:
                nearest = one_hot(likeness.argmax(dim=1).flatten(1), len(others)).float()
                weights.append(nearest.mean(dim=1))
        return torch.stack(maps, dim=1), torch.stack(weights, dim=2)

    def _likeness(self, query: Tensor, supports: Tensor) -> Tensor:
        """Highest cosine of each query position to each support within reach, ``(N, S, H, W)``."""
        count, channels, height, width = query.shape
        columns = torch.arange(width, device=query.device)
        far = (columns[:, None] - columns).abs() > self.radius
        unreachable = torch.where(far, -torch.inf, 0.0)[:, None, :]
        # Row by row as one batched matrix product, which a CPU does many times faster than
        # one shifted product per offset, although most columns of it are thrown away.
        own = query.permute(2, 0, 3, 1).reshape(height, count * width, channels)
        padded = pad(supports, (0, 0, self.radius, self.radius), mode="replicate")
        rows = padded.permute(2, 1, 0, 3).reshape(height + 2 * self.radius, channels, -1)
        best: Tensor | None = None
        for offset in range(2 * self.radius + 1):
            cosines = torch.bmm(own, rows[offset : offset + height])
            cosines = cosines.reshape(height, count, width, len(supports), width) + unreachable
            highest = cosines.amax(dim=-1)
            best = highest if best is None else torch.maximum(best, highest)
        assert best is not None  # the loop runs at least once
        return best.permute(1, 3, 0, 2)

    def image_score(self, values: Tensor) -> Tensor:
        """Mean of the highest values."""
        count = max(1, int(values.numel() * self.top))
        return values.topk(count).values.mean()


def _best_of_each(likeness: Tensor, owners: Sequence[int]) -> Tensor:
    """Highest likeness to any support of each reference: ``(N, S, H, W)`` to ``(N, references, H, W)``."""
    known = sorted(set(owners))
    index = torch.tensor([known.index(owner) for owner in owners], device=likeness.device)
    shape = (len(likeness), len(known), *likeness.shape[2:])
    lowest = likeness.new_full(shape, -torch.inf)
    return lowest.scatter_reduce(1, index[None, :, None, None].expand_as(likeness), likeness, "amax")


FOR_VOLUMES = MatchedScoring(radius=1, relative=True, mirrored=False, smoothing=2 / 128, top=0.02)
"""Slices of one level show the same anatomy at the same place, and the body is not its own mirror image."""

FOR_IMAGES = MatchedScoring(radius=2, relative=False, mirrored=True, smoothing=4 / 128, top=0.3)
"""Single images are framed by hand, of either side of the body."""


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
