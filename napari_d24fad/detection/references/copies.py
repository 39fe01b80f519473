"""Near-copies: scans so alike that they must show the same patient, whatever their files say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.detection.encoding.encoded import Encoded
from napari_d24fad.network.cosine import cosine

NEAR_COPY = 0.2
"""Share of the usual difference between references below which two scans are near-copies.

Measured on six kinds of images: the same image saved as JPEG or resized differs by 0.001 to 0.11
of the usual difference, different images by 0.34 or more (one pair of breast ultrasound by 0.05).
"""

COMPARED_SLICES = 8
"""So many slices of a scan are compared; more tell no better."""


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """How alike references are, computed once for a set of them.

    Attributes:
        origin: ``(1, C, 1, 1)`` mean of the first kind of features over all references.
        limit: Difference below which two scans are near-copies.
        pairs: The references that are near-copies of each other; of two, it cannot be told.
    """

    origin: Tensor = field(repr=False)
    limit: float
    pairs: tuple[tuple[int, int], ...]

    def copies_of(self, query: Encoded, references: Sequence[Encoded]) -> tuple[int, ...]:
        """Returns the references that are near-copies of a query."""
        found = [likeness(query, each, self.origin) for each in references]
        return tuple(index for index, value in enumerate(_differences(found)) if value < self.limit)


@torch.inference_mode()
def likeness(first: Encoded, second: Encoded, origin: Tensor) -> Tensor:
    """How alike two scans are, 1 if equal, -1 at the least.

    Args:
        first: Features of one scan.
        second: Features of the other.
        origin: Subtracted from both, so that a cosine compares what is particular.

    Returns:
        A scalar, the cosine of the first kind of features, each position with the same position of the slice
        nearest in level, mean over a few slices of the first.
    """
    chosen = np.unique(np.linspace(0, len(first.levels) - 1, COMPARED_SLICES).round().astype(int))
    nearest = np.abs(second.levels[:, None] - first.levels[chosen]).argmin(axis=0)
    few = (first.features[0][chosen], second.features[0][nearest])
    own, other = (upload(feature, origin.device).float() - origin for feature in few)
    return cosine(own, other).mean()


def _differences(likenesses: Sequence[Tensor]) -> list[float]:
    """How different scans are, from 0 to 2; all numbers are fetched from the device at once."""
    return [1 - value for value in torch.stack(list(likenesses)).tolist()]


@torch.inference_mode()
def measure_likeness(references: Sequence[Encoded]) -> Likeness:
    """Compares each two references."""
    means = torch.cat([each.features[0].float().mean(dim=(2, 3), keepdim=True) for each in references])
    origin = means.mean(dim=0, keepdim=True)
    pairs = list(combinations(range(len(references)), 2))
    values = _differences([likeness(references[i], references[j], origin) for i, j in pairs])
    found = dict(zip(pairs, values, strict=True))
    limit = NEAR_COPY * float(np.median(list(found.values())))
    return Likeness(origin, limit, tuple(pair for pair, value in found.items() if value < limit))
