"""The episodic training of student and learn-to-weight on normal images of many tasks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from napari_d24fad.network.d24fad import D24FAD
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.training.data.tasks import Task
from napari_d24fad.training.episodes import check_tasks, pick_images, views_of
from napari_d24fad.training.features import FeatureCache, ImageEncoder
from napari_d24fad.training.loop import Forgetful, Keeper, Stage, run_stage
from napari_d24fad.training.objective import Objective
from napari_d24fad.training.optimise import warm_cosine
from napari_d24fad.training.options import TrainingOptions
from napari_d24fad.training.precision import mixed_precision
from napari_d24fad.training.processes import Processes, SingleProcess
from napari_d24fad.training.selection import Selection

CACHE_BYTES = 4 << 30
"""Memory for teacher features of fixed images: 34,000 images at 128 pixels of the compact teacher."""


def train_student(
    network: D24FAD,
    tasks: Sequence[Task],
    options: TrainingOptions,
    *,
    normalise: bool,
    device: torch.device,
    keeper: Keeper | None = None,
    selection: Selection | None = None,
    processes: Processes | None = None,
    cache_bytes: int = CACHE_BYTES,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> list[float]:
    """Trains student and learn-to-weight in place; the teacher stays as it is.

    Args:
        network: Its teacher holds trained weights.
        tasks: Normal images of the training tasks.
        options: How.
        normalise: Whether images get the mean and deviation that the teacher was trained with.
        device: Where to train.
        keeper: Takes checkpoints, and goes on from the last; None keeps nothing.
        selection: Chooses among the weights passed through; None takes the last.
        processes: Who trains together; None for this process alone.
        cache_bytes: Memory for teacher features, kept where images are not augmented.
        progress: Told the step, the loss and the time left.
        cancel: Stops the training.

    Returns:
        The loss of every step.

    Raises:
        TrainingError: See `check_tasks`; DIVERGED if the loss is not a number or stays far
            above what it was.
        ExportError: CANNOT_WRITE if a checkpoint cannot be written.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    processes = processes or SingleProcess(device)
    check_tasks(tasks, options)
    network.to(device=device).train()
    # What the fast kernels of CPUs and tensor cores want.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    generator = torch.Generator().manual_seed(options.seed + processes.rank)
    encode = ImageEncoder(network.teacher, options.side, normalise, device)
    cache: FeatureCache | None = None
    objective = Objective(network, options)
    shared = processes.share(objective)
    trained = [parameter for parameter in objective.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=options.rate, betas=(0.5, 0.999))

    def loss() -> Tensor:
        picked = pick_images(tasks, options, generator)
        seen = cache(picked) if cache else encode(views_of(tasks, picked, options, generator, device))
        with mixed_precision(device):
            value: Tensor = shared(*seen.scales, seen.embedding)
        return value

    stage = Stage(
        name="training",
        title="Training",
        steps=options.steps,
        loss=loss,
        modules={"teacher": network.teacher, "student": network.student, "weighting": network.weighting},
        optimiser=optimiser,
        schedule=torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: warm_cosine(step, options.steps)),
        generator=generator,
        selection=selection,
    )
    keeper = keeper or Forgetful()
    keeper.restore(stage)  # before the teacher is asked: a checkpoint holds the one that was distilled
    if not options.augment:
        cache = FeatureCache(encode, tasks, cache_bytes, part(progress, 0, 0.1), cancel)
    run_stage(stage, keeper, processes, part(progress, 0.1, 1) if cache else progress, cancel)
    network.eval().requires_grad_(False)
    return stage.losses
