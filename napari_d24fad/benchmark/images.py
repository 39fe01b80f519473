"""Single images by the published scoring: the published loop, the network alone, and our engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from statistics import median

import torch
from torch import Tensor

from napari_d24fad.benchmark.product import now
from napari_d24fad.detection.references.null import smooth
from napari_d24fad.detection.scoring.paper import PaperScoring
from napari_d24fad.network.d24fad import D24FAD
from napari_d24fad.network.inference import PRECISIONS, Precision, for_inference
from napari_d24fad.network.losses import distance_maps
from napari_d24fad.network.rounding import whole_float32
from napari_d24fad.network.student import Scales
from napari_d24fad.network.weighting import LearnToWeight
from napari_d24fad.progress import CancelToken, Progress

BATCH = 16
PUBLISHED, FLOOR, ENGINE = "published loop", "network alone", "engine"


@dataclass(frozen=True, slots=True)
class ImageSpeed:
    """What one way of computing anomaly maps takes.

    Attributes:
        name: One of the three ways.
        precision: See `network.inference.Precision`.
        shots: References; 0 for the network alone, which has none.
        seconds: Per image, median over the repeats.
        first: Until the map of one image is there when no reference was encoded yet, likewise; None
            for the network alone.
        difference: Largest difference of a map value to the published loop's; None for the network alone.
        same_order: Whether the scores of the images rank as the published loop's.
    """

    name: str
    precision: Precision
    shots: int
    seconds: float
    first: float | None
    difference: float | None
    same_order: bool | None


@torch.inference_mode()
def measure_images(
    network: D24FAD,
    size: int,
    shots: Sequence[int],
    repeats: int,
    device: torch.device,
    progress: Progress,
    cancel: CancelToken,
) -> list[ImageSpeed]:
    """Measures on random images, one batch of 16; the ways take turns, so that load meets all alike.

    Args:
        network: On the device, in evaluation mode.
        size: Side of the images in pixels.
        shots: Numbers of references.
        repeats: How often each is measured, after one round that is not.
        device: Where it runs.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        Cancelled: If a stop was asked for.
    """
    generator = torch.Generator().manual_seed(0)
    queries = torch.rand(BATCH, 3, size, size, generator=generator).to(device)
    supports = torch.rand(max(shots), 3, size, size, generator=generator).to(device)
    ways: dict[tuple[str, Precision, int], Callable[[], Tensor]] = {}
    firsts: dict[tuple[str, Precision, int], Callable[[], Tensor]] = {}
    for count in shots:
        ways[PUBLISHED, "exact", count] = partial(published_maps, network, queries, supports[:count])
        firsts[PUBLISHED, "exact", count] = partial(published_maps, network, queries[:1], supports[:count])
    for precision in PRECISIONS:
        engine = _Engine(network, precision)
        ways[FLOOR, precision, 0] = partial(engine.forward, queries)
        for count in shots:
            with _rounding(precision):
                known = engine.supports(supports[:count])
            ways[ENGINE, precision, count] = partial(engine.maps, queries, known)
            firsts[ENGINE, precision, count] = partial(engine.first_map, queries[:1], supports[:count])
    seconds: dict[tuple[str, Precision, int], list[float]] = {key: [] for key in ways}
    waited: dict[tuple[str, Precision, int], list[float]] = {key: [] for key in firsts}
    maps: dict[tuple[str, Precision, int], Tensor] = {}
    for repeat in range(repeats + 1):
        for done, (key, way) in enumerate(ways.items()):
            cancel.check()
            started = now(device)
            with _rounding(key[1]):
                maps[key] = way()
                between = now(device)
                if key in firsts:
                    firsts[key]()
            if repeat:
                seconds[key].append(between - started)
                if key in firsts:
                    waited[key].append(now(device) - between)
            progress((repeat + (done + 1) / len(ways)) / (repeats + 1), "Measuring images")
    return [
        _speed(key, maps, median(seconds[key]) / BATCH, median(waited[key]) if key in firsts else None)
        for key in ways
    ]


@torch.inference_mode()
def published_maps(network: D24FAD, queries: Tensor, supports: Tensor) -> Tensor:
    """Maps of a batch as the published loop computes them: each support encoded once per query.

    Smoothed image by image, not across the batch as published, so that maps can be compared.

    Args:
        network: The network.
        queries: ``(N, 3, S, S)``.
        supports: ``(K, 3, S, S)``.

    Returns:
        ``(N, S, S)``.
    """
    own = network.student(network.teacher(queries).embedding)
    others: list[Scales] = []
    for support in supports:
        copies = support.expand_as(queries).contiguous()
        others.append(network.student(network.teacher(copies).embedding))
    weighted = []
    for scale in range(3):
        projection = network.weighting.get_submodule(f"proj_in{scale + 1}")
        logits = torch.cat([_logit(own[scale], projection(other[scale])) for other in others], dim=1)
        weights = logits.softmax(dim=1)
        weighted.append(sum(weights[:, k, None, None, None] * other[scale] for k, other in enumerate(others)))
    maps = distance_maps(own, [each for each in weighted if isinstance(each, Tensor)], queries.shape[-1])
    return smooth(maps.sum(dim=1), PaperScoring().smoothing)


class _Engine:
    """What `Detector` does with images that are ready for the network."""

    def __init__(self, network: D24FAD, precision: Precision) -> None:
        self._network = for_inference(network, precision)
        self._dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self._layout = torch.contiguous_format if precision == "exact" else torch.channels_last
        self._method = PaperScoring()

    def _ready(self, images: Tensor) -> Tensor:
        return images.to(dtype=self._dtype, memory_format=self._layout)

    def forward(self, images: Tensor) -> Tensor:
        fine: Tensor = self._network.student(self._network.teacher(self._ready(images)).embedding)[0]
        return fine

    def encode(self, images: Tensor) -> tuple[Tensor, ...]:
        return self._method.encode(self._network, self._ready(images))

    def supports(self, images: Tensor) -> tuple[Tensor, ...]:
        return self._method.supports(self._network, self.encode(images))

    def first_map(self, query: Tensor, references: Tensor) -> Tensor:
        return self.maps(query, self.supports(references))

    def maps(self, queries: Tensor, known: tuple[Tensor, ...]) -> Tensor:
        # Together, as neighbouring slices of a volume are.
        distances, _ = self._method.compare(
            self.encode(queries), known, range(len(known[0])), queries.shape[-1]
        )
        return smooth(distances.sum(dim=1), self._method.smoothing)


def _logit(query: Tensor, projected: Tensor) -> Tensor:
    """Learn-to-weight of each query with its own copy of a support, before the softmax: ``(N, 1)``."""
    each = [LearnToWeight.logits(q[None], s[None]) for q, s in zip(query, projected, strict=True)]
    return torch.cat(each)


def _speed(
    key: tuple[str, Precision, int],
    maps: dict[tuple[str, Precision, int], Tensor],
    seconds: float,
    first: float | None,
) -> ImageSpeed:
    name, precision, shots = key
    if name == FLOOR:
        return ImageSpeed(name, precision, shots, seconds, None, None, None)
    expected, found = maps[PUBLISHED, "exact", shots], maps[key]
    orders = [each.flatten(1).amax(dim=1).argsort().tolist() for each in (expected, found)]
    difference = float((expected - found).abs().max())
    return ImageSpeed(name, precision, shots, seconds, first, difference, orders[0] == orders[1])


def _rounding(precision: Precision) -> AbstractContextManager[None]:
    """As `Encoder` has it, so that GPUs compare like with like."""
    return whole_float32() if precision == "exact" else nullcontext()
