"""Which images a training step looks at: of each drawn task, queries and supports that share none."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.training.data.augment import random_views
from napari_d24fad.training.data.tasks import Task
from napari_d24fad.training.options import TrainingOptions

MARGIN = 8
"""Pixels by which an image is larger, on each side, than the view that is taken of it."""

Picked = list[tuple[int, Tensor]]
"""For each group, the index of its task and the indices of its images, queries first."""


def check_tasks(tasks: Sequence[Task], options: TrainingOptions) -> None:
    """Checks that episodes can be drawn.

    Raises:
        TrainingError: DATA_LAYOUT if there is no task, or some have too few images for an episode.
    """
    if not tasks:
        raise TrainingError(Code.DATA_LAYOUT, "There is no task to train on.")
    small = [task.name for task in tasks if len(task.images) < options.episode]
    if small:
        named = ", ".join(small)
        detail = f"An episode takes {options.episode} normal images, more than there are in {named}."
        raise TrainingError(Code.DATA_LAYOUT, detail)


def pick_images(tasks: Sequence[Task], options: TrainingOptions, generator: torch.Generator) -> Picked:
    """Draws tasks, and of each the images of an episode."""
    chosen = torch.randint(len(tasks), (options.groups,), generator=generator).tolist()
    return [
        (task, torch.randperm(len(tasks[task].images), generator=generator)[: options.episode])
        for task in chosen
    ]


def views_of(
    tasks: Sequence[Task],
    picked: Picked,
    options: TrainingOptions,
    generator: torch.Generator,
    device: torch.device,
) -> Tensor:
    """Returns a random view of each picked image, ``(groups * episode, 3, side, side)`` in 0..1.

    With crops, the images of a group show the same part, as the same anatomy is compared.
    """
    groups = [upload(tasks[task].images[indices], device) for task, indices in picked]
    if options.crops:
        groups = [_same_part(images, options.side + 2 * MARGIN, generator) for images in groups]
    return random_views(torch.cat(groups), options.side, generator, zoom=0.12, upright=True)


def _same_part(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Cuts the same square, half to the whole of a side, out of all images and scales it to ``side``."""
    whole = images.shape[-1]
    extent = round(whole * (0.5 + 0.5 * float(torch.rand((), generator=generator))))
    top, left = torch.randint(whole - extent + 1, (2,), generator=generator).tolist()
    cut = images[:, :, top : top + extent, left : left + extent].float()
    return interpolate(cut, (side, side), mode="bilinear", antialias=True, align_corners=False)
