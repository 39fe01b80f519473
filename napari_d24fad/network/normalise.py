"""Normalisation of images as a teacher was trained with."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_d24fad.network.teachers.architecture import IMAGENET_DEVIATION, IMAGENET_MEAN, Triple


def normalise(images: Tensor, mean: Triple = IMAGENET_MEAN, deviation: Triple = IMAGENET_DEVIATION) -> Tensor:
    """Normalises images as a teacher's weights expect; without more said, as ImageNet's do.

    Args:
        images: ``(N, 3, H, W)`` in 0..1.
        mean: Of each channel.
        deviation: Of each channel.

    Returns:
        The same shape, about zero mean and unit variance.
    """
    means = torch.tensor(mean, dtype=images.dtype, device=images.device)[:, None, None]
    deviations = torch.tensor(deviation, dtype=images.dtype, device=images.device)[:, None, None]
    return (images - means) / deviations
