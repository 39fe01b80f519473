"""Learn-to-weight (L2W): how much each support image counts for each query, per scale."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from napari_d24fad.network.architecture import Architecture
from napari_d24fad.network.student import Scales


class LearnToWeight(nn.Module):
    """One weight per support image and scale from the likeness of its features to the query's.

    Paper: w = softmax_k(<z_query, phi(z_support_k)> / sqrt(C)), phi a 1x1 convolution,
    the product over all channels and positions, C the number of channels.
    """

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        for scale, channels in enumerate(arch.channels, start=1):
            self.add_module(f"proj_in{scale}", nn.Conv2d(channels, channels, 1))

    def project(self, supports: Scales) -> Scales:
        """Applies phi to support features; depends on the supports alone, so do it once.

        Args:
            supports: Per scale ``(K, C, H, W)``.
        """
        fine, middle, coarse = (
            self.get_submodule(f"proj_in{scale}")(feature) for scale, feature in enumerate(supports, start=1)
        )
        return fine, middle, coarse

    @staticmethod
    def logits(query: Tensor, projected: Tensor) -> Tensor:
        """Likeness of every query to every support at one scale, before the softmax.

        Args:
            query: Student features ``(N, C, H, W)``.
            projected: Projected support features ``(K, C, H, W)``.

        Returns:
            ``(N, K)``.
        """
        # Summed in float64: 262,144 float32 terms in a matrix product are off by 3e-3, and
        # even summed pairwise the result depends on the number of threads.
        products = [(one * projected).flatten(1).sum(dim=1, dtype=torch.float64) for one in query]
        return (torch.stack(products) / math.sqrt(query.shape[1])).to(query.dtype)


def combine(weights: Tensor, supports: Tensor) -> Tensor:
    """The weighted support features that a query is compared with.

    Args:
        weights: ``(N, K)``.
        supports: ``(K, C, H, W)``.

    Returns:
        ``(N, C, H, W)``.
    """
    return torch.einsum("nk,kchw->nchw", weights, supports)
