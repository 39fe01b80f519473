"""Learn-to-weight (L2W): how much each support image counts for each query, per scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from napari_d24fad.network.teachers.architecture import Architecture, Transformer

SCALES = 3
_TINY = 1e-16


class LearnToWeight(nn.Module):
    """One weight per support image and scale from the likeness of its features to the query's.

    Paper: w = softmax_k(<z_query, phi(z_support_k)> / sqrt(C)), phi a 1x1 convolution,
    the product over all channels and positions, C the number of channels.
    """

    def __init__(self, arch: Architecture | Transformer) -> None:
        super().__init__()
        for scale, channels in enumerate(arch.channels, start=1):
            self.add_module(f"proj_in{scale}", nn.Conv2d(channels, channels, 1))

    def project(self, supports: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Applies phi to support features; depends on the supports alone, so do it once.

        Args:
            supports: Per scale ``(K, C, H, W)``, finest first; all three scales or the coarsest of them.
        """
        first = SCALES + 1 - len(supports)
        return tuple(
            self.get_submodule(f"proj_in{scale}")(feature) for scale, feature in enumerate(supports, first)
        )

    @staticmethod
    def logits(query: Tensor, projected: Tensor) -> Tensor:
        """Likeness of every query to every support at one scale, before the softmax.

        Args:
            query: Student features ``(N, C, H, W)``.
            projected: Projected support features ``(K, C, H, W)``.

        Returns:
            ``(N, K)``.
        """
        # Summed in float64 over the positions: 262,144 float32 terms in one matrix product are off by
        # 3e-3, and even summed pairwise the result depends on the number of threads.
        summed = products(query, projected).sum(dim=0, dtype=torch.float64)
        return (summed / math.sqrt(query.shape[1])).to(query.dtype)


def products(queries: Tensor, supports: Tensor) -> Tensor:
    """Inner products over the channels at each position, of every query with every support.

    A copy is made of what has not its channels last in memory, without which it takes ten times as long.

    Args:
        queries: ``(N, C, H, W)``.
        supports: ``(K, C, H, W)``.

    Returns:
        ``(H W, N, K)``.
    """
    own, others = (each.contiguous(memory_format=torch.channels_last) for each in (queries, supports))
    return torch.bmm(own.flatten(2).permute(2, 0, 1), others.flatten(2).permute(2, 1, 0))


def combine(weights: Tensor, supports: Tensor) -> Tensor:
    """The weighted support features that a query is compared with.

    Args:
        weights: ``(N, K)``.
        supports: ``(K, C, H, W)``.

    Returns:
        ``(N, C, H, W)``.
    """
    channels, height, width = supports.shape[1:]
    if not supports.is_contiguous(memory_format=torch.channels_last):
        return torch.einsum("nk,kchw->nchw", weights, supports)
    in_memory = supports.permute(0, 2, 3, 1).flatten(1)  # no copy, unlike what einsum would make of it
    return (weights @ in_memory).view(-1, height, width, channels).permute(0, 3, 1, 2)


def weighted_distance(queries: Tensor, supports: Tensor, weights: Tensor) -> Tensor:
    """1 - cosine between queries and their weighted supports, as `combine` and `cosine` compute it, faster.

    Args:
        queries: ``(N, C, H, W)``, channels last in memory.
        supports: ``(K, C, H, W)``, likewise.
        weights: ``(N, K)``.

    Returns:
        ``(N, H, W)``.
    """
    # Products are as well weighted afterwards; only the length needs the weighted features themselves.
    product = (products(queries, supports) * weights).sum(dim=2).T
    lengths = vector_norm(queries, dim=1) * vector_norm(combine(weights, supports), dim=1)
    distance: Tensor = 1 - product.view_as(lengths) / lengths.clamp(min=_TINY)
    return distance
