"""ImageNet normalisation, for teachers that were trained so."""

from __future__ import annotations

import torch
from torch import Tensor

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def imagenet_normalise(images: Tensor) -> Tensor:
    """Normalises images as the ImageNet weights expect.

    Args:
        images: ``(N, 3, H, W)`` in 0..1.

    Returns:
        The same shape, about zero mean and unit variance.
    """
    mean = torch.tensor(MEAN, dtype=images.dtype, device=images.device)[:, None, None]
    std = torch.tensor(STD, dtype=images.dtype, device=images.device)[:, None, None]
    return (images - mean) / std
