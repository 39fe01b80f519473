"""Random views of training images."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from napari_d24fad.detection.encoding.devices import upload


def random_views(
    images: Tensor, side: int, generator: torch.Generator, zoom: float = 0.3, upright: bool = False
) -> Tensor:
    """Turns, scales, shifts, mirrors and re-lights images, each on its own.

    Args:
        images: ``(N, 3, S, S)`` uint8, on the device to compute on.
        side: Side of the views in pixels.
        generator: Source of randomness, on the CPU, so that it draws the same for every device.
        zoom: Largest change of scale, as a fraction.
        upright: Whether images keep their sides and nearly their angle, as scans of
            one protocol do; negatives are not made either.

    Returns:
        ``(N, 3, side, side)`` float32 in 0..1.
    """
    count = len(images)

    def uniform(low: float, high: float, channels: int = 1) -> Tensor:
        drawn = torch.rand(count, channels, 1, 1, generator=generator)
        return low + (high - low) * upload(drawn, images.device)

    turn = (0.05 if upright else 0.25) * torch.randn(count, generator=generator)
    size = 1 - zoom + 1.2 * zoom * torch.rand(count, generator=generator)
    mirror = torch.where(torch.rand(count, 2, generator=generator) < 0.5, 1.0, -1.0)
    if upright:
        mirror = torch.ones_like(mirror)
    first = torch.stack([turn.cos() * mirror[:, 0], turn.sin() * mirror[:, 1]], 1) * size[:, None]
    second = torch.stack([-turn.sin() * mirror[:, 0], turn.cos() * mirror[:, 1]], 1) * size[:, None]
    shift = (1 - size[:, None]).clamp(min=0) * (2 * torch.rand(count, 2, generator=generator) - 1)
    theta = upload(torch.cat([torch.stack([first, second], 1), shift[..., None]], 2), images.device)
    grid = affine_grid(theta, [count, 3, side, side], align_corners=False)
    views = grid_sample(images.float() / 255, grid, padding_mode="zeros", align_corners=False)
    gain = uniform(0.75, 1.25) * uniform(0.95, 1.05, 3)
    views = (views.clamp(min=1e-4).pow(uniform(0.75, 1.33)) * gain + uniform(-0.08, 0.08)).clamp(0, 1)
    negative = (uniform(0, 1) < 0.1) & (not upright)
    views = torch.where(negative, 1 - views, views)
    strength = uniform(0, 0.03)
    noise = upload(torch.randn(views.shape, generator=generator), images.device)
    return (views + strength * noise).clamp(0, 1)
