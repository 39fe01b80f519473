"""The published comparison, exact: student features of the query against the weighted supports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_d24fad.detection.scoring import Features
from napari_d24fad.network.d24fad import D24FAD
from napari_d24fad.network.losses import distance_maps
from napari_d24fad.network.weighting import LearnToWeight, combine


@dataclass(frozen=True, slots=True)
class PaperScoring:
    """Student features of the query against the L2W-weighted supports.

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
        # Plane by plane in memory, whatever the network likes: that is how they are compared.
        fine, middle, coarse = (
            scale.float().contiguous() for scale in network.student(network.teacher(images).embedding)
        )
        return (fine, middle, coarse, *network.weighting.project((fine, middle, coarse)))

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
    ) -> tuple[Tensor, Tensor]:
        """One component per scale: 1 - cosine between query and weighted supports.

        Shares multiply the weights, which then sum to 1 again.
        """
        weights = [
            LearnToWeight.logits(query[scale], supports[scale + 3]).softmax(dim=1) for scale in range(3)
        ]
        if shares is not None:
            each = torch.tensor([shares[owner] for owner in owners], device=weights[0].device)
            weights = [weight * each / (weight * each).sum(dim=1, keepdim=True) for weight in weights]
        weighted = [combine(weights[scale], supports[scale]) for scale in range(3)]
        return distance_maps(query[:3], weighted, side), torch.stack(weights, dim=2)

    def image_score(self, values: Tensor) -> Tensor:
        """The largest value."""
        return values.amax(dim=-1)
