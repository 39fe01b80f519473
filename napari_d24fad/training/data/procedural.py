"""Normal anatomy made by procedure: a task is a template, its images are subjects of it.

A template is a set of nested smooth-edged organs with tissue textures; a subject is the
template moved, deformed and lit differently. It teaches a network what natural
variation is in more organs than any folder holds.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from napari_d24fad.training.data.tasks import Task


def smooth_noise(count: int, side: int, cells: int, generator: torch.Generator) -> Tensor:
    """Draws smooth random fields of zero mean and about unit variance.

    Args:
        count: How many.
        side: Side in pixels.
        cells: Random values along a side; fewer is smoother.
        generator: Source of randomness.

    Returns:
        ``(count, side, side)``.
    """
    coarse = torch.randn(count, 1, cells, cells, generator=generator)
    return interpolate(coarse, (side, side), mode="bicubic", align_corners=False)[:, 0]


def template(side: int, generator: torch.Generator) -> Tensor:
    """Draws one anatomy: body, organs inside it and their textures.

    Args:
        side: Side in pixels.
        generator: Source of randomness.

    Returns:
        ``(3, side, side)`` in 0..1; grey for three tasks of four, else colour.
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    axis = torch.linspace(-1, 1, side)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    colour = uniform(0, 1) < 0.25
    channels = 3 if colour else 1
    image = torch.zeros(channels, side, side)
    body_is_whole = uniform(0, 1) < 0.4
    for organ in range(int(uniform(4, 16))):
        if organ == 0:
            centre, radii = (
                (uniform(-0.1, 0.1), uniform(-0.1, 0.1)),
                (uniform(0.65, 0.95), uniform(0.65, 0.95)),
            )
            if body_is_whole:
                radii = (3.0, 3.0)
        else:
            centre = (uniform(-0.6, 0.6), uniform(-0.6, 0.6))
            radii = (uniform(0.05, 0.4), uniform(0.05, 0.4))
        angle = uniform(0, math.pi)
        dy, dx = y - centre[0], x - centre[1]
        along, across = (
            dy * math.cos(angle) + dx * math.sin(angle),
            dx * math.cos(angle) - dy * math.sin(angle),
        )
        outline = 1 + 0.15 * smooth_noise(1, side, int(uniform(4, 9)), generator)[0]
        distance = (along / radii[0]).square() + (across / radii[1]).square() - outline
        soft = torch.sigmoid(-distance / uniform(0.02, 0.2))
        level = torch.rand(channels, 1, 1, generator=generator)
        texture = uniform(0, 0.12) * smooth_noise(1, side, int(uniform(8, side // 2)), generator)
        image = image * (1 - soft) + soft * (level + texture)
        if organ > 0 and uniform(0, 1) < 0.4:  # organs often come in pairs
            soft = soft.flip(-1)
            image = image * (1 - soft) + soft * (level + texture.flip(-1))
    return image.clamp(0, 1).expand(3, -1, -1)


def subjects(anatomy: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Draws subjects of one anatomy.

    Args:
        anatomy: ``(3, side, side)`` in 0..1.
        count: How many.
        generator: Source of randomness.

    Returns:
        ``(count, 3, side, side)`` in 0..1.
    """
    side = anatomy.shape[-1]

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, generator=generator)

    turn, size = uniform(-0.08, 0.08), uniform(0.92, 1.08)
    matrix = (
        torch.cat([torch.cat([turn.cos(), -turn.sin()], 2), torch.cat([turn.sin(), turn.cos()], 2)], 1) * size
    )
    shift = 0.06 * torch.randn(count, 2, 1, generator=generator)
    grid = affine_grid(torch.cat([matrix, shift], 2), [count, 3, side, side], align_corners=False)
    bend = torch.stack([smooth_noise(count, side, cells, generator) for cells in (5, 5)], -1) * 0.03
    bend = bend + torch.stack([smooth_noise(count, side, cells, generator) for cells in (12, 12)], -1) * 0.012
    source = anatomy.expand(count, -1, -1, -1)
    images = grid_sample(source, grid + bend, padding_mode="border", align_corners=False)
    bias = 1 + 0.1 * smooth_noise(count, side, 4, generator)[:, None]
    fine = smooth_noise(count, side, side // 3, generator)[:, None] * uniform(0, 0.04)[..., None]
    noise = torch.randn(count, 1, side, side, generator=generator) * uniform(0, 0.04)[..., None]
    return (images.pow(uniform(0.85, 1.18)[..., None]) * bias + fine + noise).clamp(0, 1)


def procedural_tasks(count: int, images: int, side: int, seed: int) -> tuple[Task, ...]:
    """Makes tasks of normal images.

    Args:
        count: How many tasks.
        images: Images of each.
        side: Side of the images in pixels.
        seed: The same seed makes the same images.
    """
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        Task(
            f"procedural {number}",
            (subjects(template(side, generator), images, generator) * 255).round().to(torch.uint8),
        )
        for number in range(1, count + 1)
    )
