"""The published comparison, exact: student features of the query against the weighted supports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_d24fad.detection.scoring.protocol import Features
from napari_d24fad.network.d24fad import D24FAD
from napari_d24fad.network.losses import enlarge
from napari_d24fad.network.rounding import whole_float32
from napari_d24fad.network.weighting import LearnToWeight, weighted_distance


@dataclass(frozen=True, slots=True)
class PaperScoring:
    """Student features of the query against the L2W-weighted supports.

    The score of an image is the largest value of its smoothed map.
    """

    name: str = "paper"
    standardised: bool = False
    relative: bool = False
    weighed: bool = False
    smoothing: float = 4 / 128
    mirrored: bool = False

    def map_side(self, side: int) -> int:
        """That of the input."""
        return side

    def encode(self, network: D24FAD, images: Tensor) -> Features:
        """Keeps the student's three scales."""
        scales = network.student(network.teacher(images).embedding)
        # Channels last in memory, whatever the network likes: that is how they are compared.
        return tuple(scale.float().contiguous(memory_format=torch.channels_last) for scale in scales)

    def supports(self, network: D24FAD, features: Features) -> Features:
        """Adds the learn-to-weight projections, which queries do without."""
        with whole_float32():
            return (*features, *network.weighting.project(features))

    def statistics(self, references: Sequence[Features]) -> Features:
        """None are needed."""
        return ()

    def align(self, features: Features, statistics: Features) -> Features:
        """Features are compared as they are."""
        return features

    def compare(
        self,
        query: Features,
        supports: Features,
        owners: Sequence[int],
        side: int,
        shares: Sequence[float] | None = None,
        near: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """One component per scale: 1 - cosine between query and weighted supports.

        Shares multiply the weights, which then sum to 1 again.
        """
        each = None
        if shares is not None:
            each = torch.tensor([shares[owner] for owner in owners], device=query[0].device)
        maps, weights = [], []
        for own, support, projected in zip(query, supports, supports[len(query) :], strict=False):
            logits = LearnToWeight.logits(own, projected)
            weight = (logits if near is None else logits.masked_fill(~near, -torch.inf)).softmax(dim=1)
            if each is not None:
                weight = weight * each / (weight * each).sum(dim=1, keepdim=True)
            maps.append(enlarge(weighted_distance(own, support, weight), side))
            weights.append(weight)
        return torch.stack(maps, dim=1), torch.stack(weights, dim=2)

    def image_score(self, maps: Tensor, inside: Tensor) -> Tensor:
        """The largest value."""
        highest = maps.masked_fill(~inside, -torch.inf).amax(dim=(1, 2))
        return highest.masked_fill(~inside.any(dim=2).any(dim=1), torch.nan)
