"""The episodic training of student and learn-to-weight on normal images of many tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.network.d24fad import D24FAD
from napari_d24fad.network.losses import distance_loss
from napari_d24fad.network.normalise import imagenet_normalise
from napari_d24fad.network.student import Scales
from napari_d24fad.network.weighting import LearnToWeight, combine
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.training.augment import random_views
from napari_d24fad.training.optimise import descend, warm_cosine
from napari_d24fad.training.tasks import Task


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How a student is trained.

    The defaults keep the student's features from collapsing toward a constant, which
    the published loss allows: supports carry no gradient, distances are taken per
    position, and copying the teacher weighs as much as agreeing with the supports.
    `published` gives the paper's settings.

    Attributes:
        steps: Optimiser steps.
        groups: Tasks per step.
        queries: Query images per task and step.
        shots: Support images per task and step.
        side: Side of the images in pixels.
        rate: Peak learning rate of Adam, betas (0.5, 0.999).
        tsd_weight: Weight of teacher-student distillation (paper: lambda).
        stop_gradient: Whether support features are taken as they are.
        by_position: Whether distances are taken per position, not over flattened maps.
        augment: Whether each image is turned, scaled and re-lit.
        seed: Makes the run repeatable on one machine.
    """

    steps: int = 2000
    groups: int = 4
    queries: int = 5
    shots: int = 3
    side: int = 128
    rate: float = 1e-3
    tsd_weight: float = 1.0
    stop_gradient: bool = True
    by_position: bool = True
    augment: bool = True
    seed: int = 0

    @classmethod
    def published(cls, steps: int, shots: int = 4) -> TrainingOptions:
        """The paper's loss and optimiser: one task and 16 queries per step, lambda 0.1."""
        return cls(
            steps=steps,
            groups=1,
            queries=16,
            shots=shots,
            rate=1e-4,
            tsd_weight=0.1,
            stop_gradient=False,
            by_position=False,
            augment=False,
        )


def train_student(
    network: D24FAD,
    tasks: Sequence[Task],
    options: TrainingOptions,
    *,
    normalise: bool,
    device: torch.device,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> list[float]:
    """Trains student and learn-to-weight in place; the teacher stays as it is.

    Args:
        network: Its teacher holds trained weights.
        tasks: Normal images of the training tasks.
        options: How.
        normalise: Whether the teacher wants ImageNet normalisation.
        device: Where to train.
        progress: Told the step and the loss.
        cancel: Stops the training.

    Returns:
        The loss of every step.

    Raises:
        TrainingError: See `check_tasks`; DIVERGED if the loss is not a number.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    check_tasks(tasks, options)
    torch.manual_seed(options.seed)
    generator = torch.Generator().manual_seed(options.seed)
    network.to(device=device).train()
    trained = [*network.student.parameters(), *network.weighting.parameters()]
    optimiser = torch.optim.Adam(trained, lr=options.rate, betas=(0.5, 0.999))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: warm_cosine(step, options.steps))
    losses = []
    for step in range(options.steps):
        cancel.check()
        images = draw_episode(tasks, options, generator).to(device)
        if normalise:
            images = imagenet_normalise(images)
        with torch.autocast(device.type, torch.bfloat16):
            loss = episode_loss(network, images, options)
        losses.append(descend(loss, optimiser, schedule))
        progress((step + 1) / options.steps, f"Training: step {step + 1}, loss {losses[-1]:.4f}")
    network.eval()
    return losses


def check_tasks(tasks: Sequence[Task], options: TrainingOptions) -> None:
    """Checks that episodes can be drawn.

    Raises:
        TrainingError: DATA_LAYOUT if there is no task, or one has too few images for an episode.
    """
    if not tasks:
        raise TrainingError(Code.DATA_LAYOUT, "There is no task to train on.")
    size = options.queries + options.shots
    for task in tasks:
        if len(task.images) < size:
            raise TrainingError(Code.DATA_LAYOUT, f"Task {task.name} has fewer than {size} normal images.")


def draw_episode(tasks: Sequence[Task], options: TrainingOptions, generator: torch.Generator) -> Tensor:
    """Draws tasks and, of each, queries and supports that share no image.

    Returns:
        ``(groups * (queries + shots), 3, side, side)`` in 0..1; of each group the
        queries come first.
    """
    size = options.queries + options.shots
    chosen = torch.randint(len(tasks), (options.groups,), generator=generator).tolist()
    picked = [
        tasks[index].images[torch.randperm(len(tasks[index].images), generator=generator)[:size]]
        for index in chosen
    ]
    images = torch.cat(picked)
    if options.augment:
        return random_views(images, options.side, generator, zoom=0.12, upright=True)
    return torch.nn.functional.interpolate(
        images.float() / 255, (options.side, options.side), mode="bilinear", antialias=True
    )


def episode_loss(network: D24FAD, images: Tensor, options: TrainingOptions) -> Tensor:
    """The loss of one episode: SSD against the weighted supports + tsd_weight x TSD.

    Args:
        network: In training mode.
        images: Of `draw_episode`, as the teacher wants them.
        options: Group sizes and variants of the loss.
    """
    with torch.no_grad():
        seen = network.teacher(images)
    copied = network.student(seen.embedding)
    groups = [split(feature, options) for feature in copied]
    ssd = torch.zeros((), device=images.device)
    for group in range(options.groups):
        queries = tuple(scale[0][group] for scale in groups)
        supports = tuple(scale[1][group] for scale in groups)
        if options.stop_gradient:
            supports = tuple(scale.detach() for scale in supports)
        weighted = weigh(network.weighting, queries, supports)
        ssd = ssd + distance(queries, weighted, options.by_position) / options.groups
    own = [split(feature, options)[0].flatten(0, 1) for feature in copied]
    teacher = [split(feature, options)[0].flatten(0, 1) for feature in seen.scales]
    return ssd + options.tsd_weight * distance(own, teacher, options.by_position)


def split(feature: Tensor, options: TrainingOptions) -> tuple[Tensor, Tensor]:
    """Splits ``(groups * size, ...)`` into queries ``(groups, queries, ...)`` and supports."""
    grouped = feature.float().reshape(options.groups, -1, *feature.shape[1:])
    return grouped[:, : options.queries], grouped[:, options.queries :]


def weigh(weighting: LearnToWeight, queries: Sequence[Tensor], supports: Sequence[Tensor]) -> list[Tensor]:
    """Combines supports for each query by learn-to-weight, per scale."""
    fine, middle, coarse = supports
    projected: Scales = weighting.project((fine, middle, coarse))
    return [
        combine(weighting.logits(query, phi.float()).softmax(dim=1), support)
        for query, phi, support in zip(queries, projected, supports, strict=True)
    ]


def distance(first: Sequence[Tensor], second: Sequence[Tensor], by_position: bool) -> Tensor:
    """Sum over scales of the mean cosine distance, per position or of flattened maps."""
    if not by_position:
        return distance_loss(first, second)
    return torch.stack(
        [(1 - cosine_similarity(a, b)).mean() for a, b in zip(first, second, strict=True)]
    ).sum()
