"""Makes a compact teacher: it learns to see patches as an ImageNet teacher sees them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cosine_similarity, mse_loss, normalize

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.architecture import architecture
from napari_d24fad.network.normalise import imagenet_normalise
from napari_d24fad.network.teacher import Teacher
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.training.augment import random_views
from napari_d24fad.training.loop import Forgetful, Keeper, Stage, run_stage
from napari_d24fad.training.optimise import warm_cosine
from napari_d24fad.training.tasks import Task

_RELATED_PATCHES = 512


@dataclass(frozen=True, slots=True)
class DistilOptions:
    """How a compact teacher is distilled.

    Attributes:
        teacher: Architecture of the teacher to make.
        steps: Optimiser steps.
        batch: Images per step.
        side: Side of the images in pixels.
        rate: Peak learning rate (AdamW, 100 steps of warm-up, cosine decay).
        seed: Makes the run repeatable on one machine.
    """

    teacher: str = "compact"
    steps: int = 2000
    batch: int = 64
    side: int = 128
    rate: float = 2e-3
    seed: int = 0


def read_folded_teacher(path: Path, name: str = "resnet18") -> Teacher:
    """Reads ImageNet weights whose BatchNorm was folded into weight and bias.

    Args:
        path: ``.npz`` with ``conv1.weight``, ``conv1.bias``, ``layer1.0.conv1.weight`` and
            so on, stages 1 to 3; stage 4 stays random and must not be used.
        name: Architecture the weights belong to.

    Raises:
        ModelError: MODEL_CORRUPT if it cannot be read, MODEL_MISMATCH if names or shapes differ.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            folded = {key: torch.from_numpy(archive[key]) for key in archive.files}
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(Code.MODEL_CORRUPT) from error
    teacher = Teacher(architecture(name))
    state = teacher.state_dict()
    targets = {}
    for convolution, module in teacher.named_modules():
        if isinstance(module, nn.Conv2d) and not convolution.startswith("layer4"):
            downsample = convolution.endswith("downsample.0")
            norm = f"{convolution[:-1]}1" if downsample else convolution.replace("conv", "bn")
            targets[f"{convolution}.weight"] = f"{convolution}.weight"
            targets[f"{convolution}.bias"] = f"{norm}.bias"  # the BatchNorm that follows carries it
            state[f"{norm}.running_var"].fill_(1 - 1e-5)  # 1 once BatchNorm has added its epsilon
    if {key: value.shape for key, value in folded.items()} != {
        key: state[target].shape for key, target in targets.items()
    }:
        raise ModelError(Code.MODEL_MISMATCH)
    state |= {target: folded[key] for key, target in targets.items()}
    teacher.load_state_dict(state)
    return teacher.eval().requires_grad_(False)


def distil(
    source: Teacher,
    tasks: Sequence[Task],
    options: DistilOptions,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    *,
    keeper: Keeper | None = None,
    device: torch.device | None = None,
) -> Teacher:
    """Trains a small teacher to agree with a large one, patch by patch.

    Two losses at each scale: a linear map of the small features points where the large
    ones point (cosine), and two patches are as alike for the small teacher as for
    the large one. Stage 4 learns the large teacher's stage 3, halved in size.

    Args:
        source: The large teacher, frozen.
        tasks: Images to look at; labels play no part.
        options: How.
        progress: Told the step, the loss and the time left.
        cancel: Stops the training.
        keeper: Takes checkpoints, and goes on from the last; None keeps nothing.
        device: Where to compute; None for the CPU.

    Returns:
        The small teacher, in evaluation mode, on the device; its inputs are normalised like `source`'s.

    Raises:
        TrainingError: DIVERGED if the loss is not a number or stays far above what it was.
        ExportError: CANNOT_WRITE if a checkpoint cannot be written.
        Cancelled: If a stop was asked for.
    """
    device = device or torch.device("cpu")
    torch.manual_seed(options.seed)
    generator = torch.Generator().manual_seed(options.seed)
    arch = architecture(options.teacher)
    student: Teacher = Teacher(arch).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    source = source.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as above
    wide = source_channels(source)
    narrow = (*arch.channels, 2 * arch.channels[2])
    heads = nn.ModuleList(
        nn.Conv2d(inputs, outputs, 1) for inputs, outputs in zip(narrow, (*wide, wide[2]), strict=True)
    )
    for module in (student, source, heads):
        module.to(device)
    parameters = [*student.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=options.rate, weight_decay=1e-4)

    def loss() -> Tensor:
        images = _draw(tasks, options.batch, generator).to(device)
        batch = imagenet_normalise(random_views(images, options.side, generator))
        batch = batch.contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16):
            with torch.no_grad():
                fine, middle, coarse = source(batch).scales
            seen = student(batch)
            mapped = [
                head(feature) for head, feature in zip(heads, (*seen.scales, seen.embedding), strict=True)
            ]
        targets = [t.float() for t in (fine, middle, coarse, avg_pool2d(coarse, 2))]
        total = torch.zeros((), device=device)
        for feature, small, target in zip(mapped, (*seen.scales, seen.embedding), targets, strict=True):
            total = total + (1 - cosine_similarity(feature.float(), target)).mean()
            total = total + 4 * _relation_loss(small.float(), target, generator)
        return total

    stage = Stage(
        name="distillation",
        title="Distilling",
        steps=options.steps,
        loss=loss,
        modules={"teacher": student, "heads": heads},
        optimiser=optimiser,
        schedule=torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: warm_cosine(step, options.steps)),
        generator=generator,
    )
    keeper = keeper or Forgetful()
    keeper.restore(stage)
    run_stage(stage, keeper, progress=progress, cancel=cancel)
    student.eval().requires_grad_(False)
    return student


def source_channels(teacher: Teacher) -> tuple[int, int, int]:
    """Channels of a teacher's three scales, read off its last BatchNorm layers."""
    counts = [
        [m for m in teacher.get_submodule(f"layer{stage}").modules() if isinstance(m, nn.BatchNorm2d)][
            -1
        ].num_features
        for stage in (1, 2, 3)
    ]
    return counts[0], counts[1], counts[2]


def _draw(tasks: Sequence[Task], count: int, generator: torch.Generator) -> Tensor:
    """Draws images from tasks chosen evenly, so that a large task does not drown a small one."""
    chosen = torch.randint(len(tasks), (count,), generator=generator).tolist()
    return torch.stack(
        [tasks[t].images[int(torch.randint(len(tasks[t].images), (), generator=generator))] for t in chosen]
    )


def _relation_loss(small: Tensor, large: Tensor, generator: torch.Generator) -> Tensor:
    """Mean squared difference of the likenesses (cosines) between random patches."""
    places = torch.randint(small[:, 0].numel(), (_RELATED_PATCHES,), generator=generator)
    first = normalize(small.movedim(1, -1).flatten(0, 2)[places], dim=1)
    second = normalize(large.movedim(1, -1).flatten(0, 2)[places], dim=1)
    return mse_loss(first @ first.T, second @ second.T)
