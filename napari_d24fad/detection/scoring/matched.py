"""Our default comparison: each position is matched to its nearest neighbours among the references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.linalg import vector_norm
from torch.nn.functional import interpolate

from napari_d24fad.detection.scoring.protocol import Features
from napari_d24fad.detection.scoring.search import local_likeness
from napari_d24fad.network.cosine import unit_length
from napari_d24fad.network.d24fad import D24FAD, NoStudent

_HALF_MAX = 65504.0
_SCALES = 2
_COMPARED = 4


@dataclass(frozen=True, slots=True)
class MatchedScoring:
    """Each position is matched to its nearest neighbours among the references.

    Two spaces are matched, each at the middle and the coarse scale: the teacher's features,
    and the residual of teacher and student (what the student could not re-create).
    Channels are first centred and scaled by what the references show, so that the cosine
    compares how two places differ from the usual and not what all places share. The
    distance is the mean over the nearest few references: a single reference that shows
    the same lesion does not hide it. Of a teacher without a student only its features are matched.

    A query is matched with each reference apart (`match`, the long part), then the nearest
    references of each position are taken (`distances`): to leave one out, only the second is
    done again.

    Attributes:
        radius: Cells around the same position that are searched.
        relative: See `Scoring.relative`.
        weighed: See `Scoring.weighed`.
        mirrored: See `Scoring.mirrored`.
        smoothing: See `Scoring.smoothing`.
        top: Fraction of the map that the score of an image is the mean of.
        nearest: How many references the distance is the mean of, the nearest at each position.
    """

    radius: int
    relative: bool
    weighed: bool
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
        """Keeps teacher features, residuals and the student's lengths of the middle and the coarse scale.

        In half precision. The first two are compared; with the lengths `student` has the student's
        features again. Of a teacher alone, its features.
        """
        seen = network.teacher(images)
        if isinstance(network.student, NoStudent):
            return tuple(_half(scale.float().contiguous()) for scale in seen.scales[1:])
        coarse, middle = network.student.coarser(seen.embedding)
        # Plane by plane in memory, whatever the network likes: that is how they are compared.
        pairs = [
            (teacher.float().contiguous(), student.float().contiguous())
            for teacher, student in zip(seen.scales[1:], (middle, coarse), strict=True)
        ]
        residuals = [unit_length(teacher) - unit_length(student) for teacher, student in pairs]
        lengths = [vector_norm(student, dim=1, keepdim=True) for _, student in pairs]
        kept = (*(teacher for teacher, _ in pairs), *residuals, *lengths)
        return tuple(_half(feature) for feature in kept)

    def supports(self, network: D24FAD, features: Features) -> Features:
        """References are kept as queries are."""
        return features

    def statistics(self, references: Sequence[Features]) -> Features:
        """Mean and standard deviation of each channel over all places of all references."""
        found: list[Tensor] = []
        compared = (features[:_COMPARED] for features in references)
        for tensors in zip(*compared, strict=True):
            # Scan by scan in float32, the few sums in float64: no copy of all features is made.
            means, squares = (torch.cat(sums).double() for sums in zip(*map(_moments, tensors), strict=True))
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
            unit_length((feature.float() - mean) / deviation).half()
            for feature, (mean, deviation) in zip(features[:_COMPARED], pairs, strict=True)
        )

    def match(self, query: Features, supports: Features) -> Features:
        """Matches every query with every support.

        Args:
            query: Aligned features of ``N`` images.
            supports: Aligned features of ``S`` images.

        Returns:
            For each space and scale ``(N, S, h, w)`` in half precision: 1 - cosine to the nearest
            position.
        """
        return tuple(
            (1 - local_likeness(own.float(), others.float(), self.radius)).half()
            for own, others in zip(query, supports, strict=True)
        )

    def distances(
        self, matches: Features, side: int, shares: Sequence[float] | None = None
    ) -> tuple[Tensor, Tensor]:
        """One component per space and scale: mean distance to the nearest references.

        Args:
            matches: For each space and scale ``(N, references, h, w)``.
            side: Side of the maps in pixels.
            shares: How much each reference counts, above 0 and up to 1; None for 1 each. The nearest
                references are taken until their shares sum to `nearest`.

        Returns:
            Distances ``(N, components, side, side)`` and weights ``(N, references, scales)``: in the
            teacher's space, the share of positions where a reference is the nearest.
        """
        maps, weights = [], []
        for component, each in enumerate(matches):
            distance = self._mean_of_nearest(each, shares)
            maps.append(interpolate(distance[:, None], (side, side), mode="bilinear")[:, 0])
            if component < _SCALES:
                weights.append(_nearest_shares(each))
        return torch.stack(maps, dim=1), torch.stack(weights, dim=2)

    def compare(
        self,
        query: Features,
        supports: Features,
        owners: Sequence[int],
        side: int,
        shares: Sequence[float] | None = None,
        near: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """See `Scoring.compare`: `match` and `distances` in one."""
        matches = self.match(query, supports)
        if near is not None:
            matches = tuple(each.masked_fill(~near[..., None, None], torch.inf) for each in matches)
        distances, _ = self.distances(tuple(lowest_of_each(each, owners) for each in matches), side, shares)
        return distances, torch.stack([_nearest_shares(each) for each in matches[:_SCALES]], dim=2)

    def _mean_of_nearest(self, distances: Tensor, shares: Sequence[float] | None) -> Tensor:
        if shares is None:
            lowest = _lowest(distances, min(self.nearest, distances.shape[1]))
            return torch.stack(lowest).float().mean(dim=0)
        ordered, order = distances.float().sort(dim=1)
        each = torch.tensor(shares, device=distances.device)[order]
        reached = each.cumsum(dim=1).clamp(max=self.nearest)
        counted = torch.diff(reached, dim=1, prepend=torch.zeros_like(reached[:, :1]))
        return (counted * ordered).sum(dim=1) / counted.sum(dim=1)

    def image_score(self, maps: Tensor, inside: Tensor) -> Tensor:
        """Mean of the highest values."""
        known = inside.flatten(1).sum(dim=1)
        count = (known * self.top).long().clamp(min=1)
        highest = maps.masked_fill(~inside, -torch.inf).flatten(1).sort(dim=1, descending=True).values
        taken = torch.arange(highest.shape[1], device=maps.device) < count[:, None]
        mean = highest.masked_fill(~taken, 0).sum(dim=1) / count
        return mean.masked_fill(known == 0, torch.nan)


def lowest_of_each(distances: Tensor, owners: Sequence[int]) -> Tensor:
    """Lowest distance to any support of each reference.

    Args:
        distances: ``(N, S, h, w)``.
        owners: For each support, the reference it is of.

    Returns:
        ``(N, references, h, w)``, in ascending order of the references that own a support.
    """
    known = sorted(set(owners))
    index = torch.tensor([known.index(owner) for owner in owners], device=distances.device)
    shape = (len(distances), len(known), *distances.shape[2:])
    highest = distances.new_full(shape, torch.inf)
    return highest.scatter_reduce(1, index[None, :, None, None].expand_as(distances), distances, "amin")


def student(features: Features) -> tuple[Tensor, Tensor]:
    """The student's features at the middle and the coarse scale, from what `MatchedScoring.encode` kept."""
    middle, coarse = (
        # Channels last in memory, as `PaperScoring` compares them.
        ((unit_length(teacher.float()) - residual.float()) * length.float()).contiguous(
            memory_format=torch.channels_last
        )
        for teacher, residual, length in zip(features[:2], features[2:4], features[4:], strict=True)
    )
    return middle, coarse


def copying_distances(features: Features) -> tuple[Tensor, Tensor]:
    """1 - cosine of teacher and student at both scales, ``(N, H, W)``, from what was kept."""
    # The residual of two vectors of length 1 has the squared length 2 - 2 cos.
    middle, coarse = (residual.float().square().sum(dim=1) / 2 for residual in features[2:4])
    return middle, coarse


def _half(feature: Tensor) -> Tensor:
    return feature.clamp(-_HALF_MAX, _HALF_MAX).half()


def _moments(feature: Tensor) -> tuple[Tensor, Tensor]:
    exact = feature.float()
    return exact.mean(dim=(2, 3)), exact.square().mean(dim=(2, 3))


def _nearest_shares(distances: Tensor) -> Tensor:
    """Share of positions where each of ``S`` is the nearest: ``(N, S, h, w)`` to ``(N, S)``."""
    (lowest,) = _lowest(distances, 1)
    shares, left = [], torch.ones_like(lowest, dtype=torch.bool)
    for value in distances.unbind(dim=1):
        found = (value == lowest) & left  # of equals the first
        shares.append(found.flatten(1).sum(dim=1))
        left &= ~found
    return torch.stack(shares, dim=1) / left[0].numel()


def _lowest(distances: Tensor, count: int) -> list[Tensor]:
    """The ``count`` lowest of ``(N, S, h, w)`` at each position, in order.

    By comparing whole planes: torch's own selection takes each position alone, ten times as long.
    """
    lowest: list[Tensor] = []
    for value in distances.unbind(dim=1):
        rest = value
        for at, known in enumerate(lowest):
            lowest[at], rest = torch.minimum(known, rest), torch.maximum(known, rest)
        if len(lowest) < count:
            lowest.append(rest)
    return lowest


FOR_VOLUMES = MatchedScoring(
    radius=1, relative=True, weighed=False, mirrored=False, smoothing=2 / 128, top=0.02
)
"""Slices of one level show the same anatomy at the same place, and the body is not its own mirror image."""

FOR_IMAGES = MatchedScoring(radius=2, relative=False, weighed=True, mirrored=True, smoothing=4 / 128, top=0.3)
"""Single images are framed by hand, of either side of the body."""
