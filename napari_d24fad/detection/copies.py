"""Near-copies: scans so alike that they must show the same patient, whatever their files say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from torch.nn.functional import cosine_similarity

from napari_d24fad.detection.encoded import Encoded

NEAR_COPY = 0.2
"""Share of the usual difference between references below which two scans are near-copies.

Measured on six kinds of images: the same image saved as JPEG or resized differs by 0.001 to 0.11
of the usual difference, different images by 0.34 or more (one pair of breast ultrasound by 0.05).
"""


@torch.inference_mode()
def difference(first: Encoded, second: Encoded, centre: Encoded) -> float:
    """How different two scans are, from 0 to 2.

    Args:
        first: Features of one scan.
        second: Features of the other.
        centre: Features whose mean is the origin, so that a cosine compares what is particular.

    Returns:
        1 - cosine of the first kind of features, each position with the same position of the slice
        nearest in level, mean over all.
    """
    origin = centre.features[0].mean(dim=(0, 2, 3), keepdim=True)
    nearest = np.abs(second.levels[:, None] - first.levels).argmin(axis=0)
    own, other = first.features[0] - origin, second.features[0][nearest] - origin
    return 1 - float(cosine_similarity(own, other).mean())


def usual_difference(references: Sequence[Encoded]) -> float:
    """Median difference of two references."""
    centre = pooled(references)
    return float(np.median([difference(a, b, centre) for a, b in combinations(references, 2)]))


def near_copies(references: Sequence[Encoded]) -> tuple[tuple[int, int], ...]:
    """Returns the pairs of references that are near-copies; with two references, none can be told."""
    centre = pooled(references)
    found = {
        (i, j): difference(references[i], references[j], centre)
        for i, j in combinations(range(len(references)), 2)
    }
    limit = NEAR_COPY * float(np.median(list(found.values())))
    return tuple(pair for pair, value in found.items() if value < limit)


def copies_of(query: Encoded, references: Sequence[Encoded]) -> tuple[int, ...]:
    """Returns the references that are near-copies of a query."""
    centre = pooled(references)
    limit = NEAR_COPY * usual_difference(references)
    return tuple(i for i, each in enumerate(references) if difference(query, each, centre) < limit)


def pooled(references: Sequence[Encoded]) -> Encoded:
    """All references as one."""
    levels = np.concatenate([each.levels for each in references])
    return Encoded(levels, (torch.cat([each.features[0] for each in references]),))
