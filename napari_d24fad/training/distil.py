"""Makes a compact teacher: it learns to see patches as an ImageNet teacher sees them."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cosine_similarity, mse_loss, normalize, smooth_l1_loss

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.normalise import normalise
from napari_d24fad.network.teachers.architecture import teacher_spec
from napari_d24fad.network.teachers.build import build_residual
from napari_d24fad.network.teachers.residual import ResidualTeacher
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.training.data.views import Source, ViewBank, build_bank
from napari_d24fad.training.loop import Forgetful, Keeper, Stage, run_stage
from napari_d24fad.training.precision import mixed_precision

_GROUP = 8
"""Views of one kind that are compared with each other."""

_RELATED_PATCHES = 96
_RELATION_WEIGHT = 8.0
_GENERAL_SHARE = 0.78


@dataclass(frozen=True, slots=True)
class DistilOptions:
    """How a compact teacher is distilled.

    Attributes:
        teacher: Architecture of the teacher to make.
        steps: Optimiser steps. For the first 78 % only general sources are seen, at a constant
            rate; then all, while the rate falls to 0 along half a cosine.
        batch: Views per step, a multiple of 8.
        side: Side of a view in pixels.
        rate: Learning rate of AdamW after 150 steps of warm-up.
        seed: Makes the run repeatable on one machine.
    """

    teacher: str = "compact"
    steps: int = 4600
    batch: int = 64
    side: int = 128
    rate: float = 2e-3
    seed: int = 0

    @property
    def general_steps(self) -> int:
        """Steps that see general sources alone."""
        return round(_GENERAL_SHARE * self.steps)

    def rate_factor(self, step: int) -> float:
        """Factor of the learning rate at a step."""
        fall = max(0, step - self.general_steps) / max(1, self.steps - self.general_steps)
        return min(1.0, (step + 1) / 150) * 0.5 * (1 + math.cos(math.pi * fall))


def read_folded_teacher(path: Path, name: str = "resnet18") -> ResidualTeacher:
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
    teacher = build_residual(name)
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
    source: ResidualTeacher,
    sources: Sequence[Source],
    options: DistilOptions,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    *,
    keeper: Keeper | None = None,
    device: torch.device | None = None,
) -> ResidualTeacher:
    """Trains a small teacher to agree with a large one, patch by patch.

    The large teacher is asked once about each view. Two losses at each scale: a linear map
    of the small features gives the large ones, each channel standardised; and within views
    of one kind, two patches are as alike for the small teacher as for the large one, after
    their channels are standardised over these views, as `MatchedScoring.align` does it.
    Stage 4 learns the large teacher's stage 3, halved in size.

    Args:
        source: The large teacher, frozen.
        sources: What to look at; labels play no part.
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
    generator = torch.Generator()
    student: ResidualTeacher = build_residual(options.teacher)
    channels = teacher_spec(options.teacher).architecture.channels
    student = student.requires_grad_(True).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    source = source.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as above
    wide = source_channels(source)
    narrow = (*channels, 2 * channels[2])
    heads = nn.ModuleList(
        nn.Conv2d(inputs, outputs, 1) for inputs, outputs in zip(narrow, (*wide, wide[2]), strict=True)
    )
    for module in (student, source, heads):
        module.to(device)
    parameters = [*student.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=options.rate, weight_decay=1e-2)

    def encode(images: Tensor) -> Sequence[Tensor]:
        batch = normalise(upload(images, device)).contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), mixed_precision(device):
            scales: Sequence[Tensor] = source(batch).scales
        return scales

    bank: ViewBank

    def loss() -> Tensor:
        general = stage.taken < options.general_steps and bank.general
        kinds = bank.general if general else bank.every
        chosen = _draw(bank, kinds, options.batch, generator)
        batch = normalise(upload(bank.views[chosen], device).float() / 255)
        with mixed_precision(device):
            seen = student(batch.contiguous(memory_format=torch.channels_last))
            small = [avg_pool2d(seen.scales[0], 2), *seen.scales[1:], seen.embedding]
            mapped = [head(feature) for head, feature in zip(heads, small, strict=True)]
        targets = [upload(target, device) for target in bank.standardised(chosen)]
        targets.append(avg_pool2d(targets[2], 2))
        total = torch.zeros((), device=device)
        for guess, feature, target in zip(mapped, small, targets, strict=True):
            total = total + smooth_l1_loss(guess.float(), target)
            total = total + (1 - cosine_similarity(guess.float(), target)).mean()
            total = total + _RELATION_WEIGHT * _relation_loss(feature.float(), target, generator)
        return total

    stage = Stage(
        name="distillation",
        title="Distilling",
        steps=options.steps,
        loss=loss,
        modules={"teacher": student, "heads": heads},
        optimiser=optimiser,
        schedule=torch.optim.lr_scheduler.LambdaLR(optimiser, options.rate_factor),
        generator=generator,
    )
    keeper = keeper or Forgetful()
    keeper.restore(stage)
    if len(stage.losses) < options.steps:  # else it was distilled before, and the views are not needed
        start = torch.Generator().manual_seed(options.seed)
        bank = build_bank(sources, encode, options.side, start, part(progress, 0, 0.1), cancel)
        if not stage.losses:
            generator.set_state(start.get_state())
    run_stage(stage, keeper, progress=part(progress, 0.1, 1), cancel=cancel)
    student.eval().requires_grad_(False)
    return student


def source_channels(teacher: ResidualTeacher) -> tuple[int, int, int]:
    """Channels of a teacher's three scales, read off its last BatchNorm layers."""
    counts = [
        [m for m in teacher.get_submodule(f"layer{stage}").modules() if isinstance(m, nn.BatchNorm2d)][
            -1
        ].num_features
        for stage in (1, 2, 3)
    ]
    return counts[0], counts[1], counts[2]


def _draw(bank: ViewBank, kinds: Sequence[int], count: int, generator: torch.Generator) -> Tensor:
    """Draws groups of views of one kind each, kinds evenly, whatever the number of their views."""
    groups = []
    for _ in range(count // _GROUP):
        views = bank.kinds[kinds[int(torch.randint(len(kinds), (), generator=generator))]]
        groups.append(views[torch.randperm(len(views), generator=generator)[:_GROUP]])
    return torch.cat(groups)


def _relation_loss(small: Tensor, large: Tensor, generator: torch.Generator) -> Tensor:
    """Mean squared difference of the likenesses (cosines) between random patches of a group."""
    pairs = [feature.reshape(-1, _GROUP, *feature.shape[1:]) for feature in (small, large)]
    flat = [group.permute(0, 2, 1, 3, 4).flatten(2) for group in pairs]
    places = torch.randint(flat[0].shape[2], (_RELATED_PATCHES,), generator=generator).to(small.device)
    likenesses = []
    for features in flat:
        deviation, mean = torch.std_mean(features, dim=2, keepdim=True)
        patches = normalize(((features - mean) / (deviation + 1e-2))[:, :, places], dim=1)
        likenesses.append(patches.transpose(1, 2) @ patches)
    return mse_loss(likenesses[0], likenesses[1])
