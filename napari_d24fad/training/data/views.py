"""The views that a teacher is distilled on, with what the large teacher sees in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample, interpolate

from napari_d24fad.progress import CancelToken, Progress, silent

_BATCH = 64
_PADDED = 0.95
"""Views that cover more of a picture than this show black beside it; others its mirror image."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Pictures of one kind, and how many views are taken of them.

    Attributes:
        pictures: Each ``(3, height, width)`` float32 in 0..1.
        count: Number of views.
        cover: Least and largest part of a picture's longer side that a view covers.
        weight: How often it is drawn, relative to others.
        general: Whether it is no task of the user: seen from the first step on.
    """

    pictures: Sequence[Tensor] = field(repr=False)
    count: int
    cover: tuple[float, float]
    weight: int
    general: bool


@dataclass(frozen=True, slots=True, eq=False)
class ViewBank:
    """Views with the features that the small teacher is to learn, computed once.

    Attributes:
        views: ``(N, 3, side, side)`` uint8.
        targets: Per scale ``(N, C, h, w)`` float16, finest first; the finest is halved in size.
        kinds: For each source, the indices of its views.
        every: The sources, each as many times as its weight says.
        general: Those of them that are general.
        means: Per scale ``(C, 1, 1)``, over the bank.
        deviations: Likewise.
    """

    views: Tensor = field(repr=False)
    targets: tuple[Tensor, ...] = field(repr=False)
    kinds: tuple[Tensor, ...] = field(repr=False)
    every: tuple[int, ...]
    general: tuple[int, ...]
    means: tuple[Tensor, ...] = field(repr=False)
    deviations: tuple[Tensor, ...] = field(repr=False)

    def standardised(self, chosen: Tensor) -> list[Tensor]:
        """Returns the targets of some views, each channel with mean 0 and deviation 1 over the bank."""
        return [
            (target[chosen].float() - mean) / deviation
            for target, mean, deviation in zip(self.targets, self.means, self.deviations, strict=True)
        ]


def build_bank(
    sources: Sequence[Source],
    encode: Callable[[Tensor], Sequence[Tensor]],
    side: int,
    generator: torch.Generator,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> ViewBank:
    """Takes the views and asks the large teacher about each.

    Args:
        sources: What to look at.
        encode: The large teacher: ``(N, 3, side, side)`` in 0..1 to its three scales.
        side: Side of a view in pixels.
        generator: Source of randomness.
        progress: Told how far this is.
        cancel: Stops it.

    Raises:
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    views, seen, kinds, done = [], [], [], 0
    total = sum(source.count for source in sources)
    for source in sources:
        kinds.append(torch.arange(done, done + source.count))
        for start in range(0, source.count, _BATCH):
            cancel.check()
            count = min(_BATCH, source.count - start)
            chosen = torch.randint(len(source.pictures), (count,), generator=generator).tolist()
            drawn = [view(source.pictures[index], source.cover, side, generator) for index in chosen]
            batch = (mixed(relit(torch.stack(drawn), generator), generator) * 255).round().to(torch.uint8)
            fine, middle, coarse = encode(batch.float() / 255)
            views.append(batch)
            # Halved: the finest scale holds most of the bytes and the least that its neighbours do not.
            seen.append([t.cpu().half() for t in (avg_pool2d(fine.float(), 2), middle, coarse)])
            done += count
            progress(done / total, f"Taking views: {done} of {total}")
    targets = tuple(torch.cat(scale) for scale in zip(*seen, strict=True))
    moments = [torch.std_mean(target[::7].float(), dim=(0, 2, 3)) for target in targets]
    return ViewBank(
        torch.cat(views),
        targets,
        tuple(kinds),
        tuple(n for n, source in enumerate(sources) for _ in range(source.weight)),
        tuple(n for n, source in enumerate(sources) for _ in range(source.weight) if source.general),
        means=tuple(mean[:, None, None] for _, mean in moments),
        deviations=tuple(deviation[:, None, None] + 1e-3 for deviation, _ in moments),
    )


def view(picture: Tensor, cover: tuple[float, float], side: int, generator: torch.Generator) -> Tensor:
    """Cuts a turned, stretched, perhaps mirrored square out of a picture.

    Args:
        picture: ``(3, height, width)`` in 0..1.
        cover: Least and largest part of the longer side that it covers.
        side: Side of the view in pixels.
        generator: Source of randomness.

    Returns:
        ``(3, side, side)``.
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    height, width = picture.shape[1:]
    part = uniform(*cover)
    extent = part * max(height, width)
    angle = 0.3 * float(torch.randn((), generator=generator))
    stretch = uniform(0.85, 1.18)
    left_right, top_bottom = (1 if uniform(0, 1) < 0.5 else -1 for _ in range(2))
    x = uniform(0, 1) * max(width - extent, 0) + min(extent, width) / 2
    y = uniform(0, 1) * max(height - extent, 0) + min(extent, height) / 2
    cosine, sine = math.cos(angle), math.sin(angle)
    theta = torch.tensor(
        [
            [
                cosine * left_right * extent * stretch / width,
                -sine * extent / width * top_bottom,
                2 * x / width - 1,
            ],
            [
                sine * left_right * extent / height,
                cosine * extent / stretch / height * top_bottom,
                2 * y / height - 1,
            ],
        ]
    )
    source = picture[None]
    if extent > 1.6 * side:  # or pixels would be skipped
        source = interpolate(source, scale_factor=1.2 * side / extent, mode="bilinear", antialias=True)
    grid = affine_grid(theta[None], [1, 3, side, side], align_corners=False)
    padding = "zeros" if part > _PADDED else "reflection"
    return grid_sample(source, grid, padding_mode=padding, align_corners=False)[0].clamp(0, 1)


def relit(views: Tensor, generator: torch.Generator) -> Tensor:
    """Changes exposure, contrast and colour; makes some grey, negative, blurred or noisy."""
    count = len(views)

    def uniform(low: float, high: float, channels: int = 1) -> Tensor:
        return low + (high - low) * torch.rand(count, channels, 1, 1, generator=generator)

    def some(share: float) -> Tensor:
        return uniform(0, 1) < share

    tint = 1 + uniform(-0.12, 0.12, 3) * some(0.6)
    gain = uniform(0.65, 1.35) * tint
    views = (views.clamp(min=1e-4).pow(uniform(0.65, 1.5)) * gain + uniform(-0.12, 0.12)).clamp(0, 1)
    views = torch.where(some(0.25), views.mean(dim=1, keepdim=True), views)
    views = torch.where(some(0.1), 1 - views, views)
    blurred = avg_pool2d(views, 3, stride=1, padding=1, count_include_pad=False)
    views = torch.where(some(0.15), blurred, views)
    noise = torch.randn(views.shape, generator=generator)
    return (views + uniform(0, 0.06) * some(0.4) * noise).clamp(0, 1)


def mixed(views: Tensor, generator: torch.Generator) -> Tensor:
    """Pastes smooth-edged parts of other views into some: more kinds of borders than pictures hold."""
    count, side = len(views), views.shape[-1]

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator)

    others = views[torch.randperm(count, generator=generator)]
    coarse = torch.randn(count, 1, 5, 5, generator=generator)
    mask = interpolate(coarse, (side, side), mode="bicubic", align_corners=False)
    mask = torch.sigmoid(mask * uniform(2, 20) + uniform(-1, 1))
    return torch.where(uniform(0, 1) < 0.3, views * mask + others * (1 - mask), views)
