"""The loss of the paper and our variant of it: SSD against weighted supports + lambda x TSD."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from napari_d24fad.network.d24fad import D24FAD
from napari_d24fad.network.losses import distance_loss
from napari_d24fad.network.student import Scales
from napari_d24fad.network.weighting import LearnToWeight, combine
from napari_d24fad.training.options import TrainingOptions


class Objective(nn.Module):
    """The loss of one step as a module of student and weighting, so that processes can share it.

    Args:
        network: Whose student and weighting are trained. Without learn-to-weight in the
            options, its projections become 0, which weighs all supports equally wherever
            the model is used.
        options: Group sizes and variants of the loss.
    """

    def __init__(self, network: D24FAD, options: TrainingOptions) -> None:
        super().__init__()
        self.student = network.student
        self.weighting = network.weighting
        self.options = options
        if not options.l2w:
            for parameter in self.weighting.parameters():
                nn.init.zeros_(parameter)
        self.student.requires_grad_(True)
        # What gets no gradient must say so: processes wait for every parameter's.
        self.weighting.requires_grad_(options.l2w and options.ssd)

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor, embedding: Tensor) -> Tensor:
        """Computes the loss, a scalar.

        Args:
            fine: The teacher's first scale, ``(groups * (queries + shots), C, H, W)``; of
                each group the queries come first.
            middle: Its second scale.
            coarse: Its third scale.
            embedding: What the student starts from.
        """
        options = self.options
        copied: Scales = self.student(embedding)
        groups = [self._split(feature) for feature in copied]
        loss = torch.zeros((), device=embedding.device)
        if options.ssd:
            for group in range(options.groups):
                queries = [scale[0][group] for scale in groups]
                supports = [scale[1][group] for scale in groups]
                if options.stop_gradient:
                    supports = [scale.detach() for scale in supports]
                weighted = self._weigh(queries, supports)
                loss = loss + distance(queries, weighted, options.by_position) / options.groups
        if options.tsd_weight:
            own = [queries.flatten(0, 1) for queries, _ in groups]
            teacher = [self._split(scale)[0].flatten(0, 1) for scale in (fine, middle, coarse)]
            loss = loss + options.tsd_weight * distance(own, teacher, options.by_position)
        return loss

    def _split(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """Splits ``(groups * episode, ...)`` into queries ``(groups, queries, ...)`` and supports."""
        grouped = feature.float().reshape(self.options.groups, -1, *feature.shape[1:])
        return grouped[:, : self.options.queries], grouped[:, self.options.queries :]

    def _weigh(self, queries: Sequence[Tensor], supports: Sequence[Tensor]) -> list[Tensor]:
        """Combines the supports for each query, per scale."""
        if not self.options.l2w:
            return [
                support.mean(dim=0, keepdim=True).expand(len(query), -1, -1, -1)
                for query, support in zip(queries, supports, strict=True)
            ]
        projected: tuple[Tensor, ...] = self.weighting.project(supports)
        return [
            combine(LearnToWeight.logits(query, phi.float()).softmax(dim=1), support)
            for query, phi, support in zip(queries, projected, supports, strict=True)
        ]


def distance(first: Sequence[Tensor], second: Sequence[Tensor], by_position: bool) -> Tensor:
    """Sum over scales of the mean cosine distance, per position or of flattened maps."""
    if not by_position:
        return distance_loss(first, second)
    return torch.stack(
        [(1 - cosine_similarity(a, b)).mean() for a, b in zip(first, second, strict=True)]
    ).sum()
