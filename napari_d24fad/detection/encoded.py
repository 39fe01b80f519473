"""Features of scans, and which reference slices a query slice is compared with: those at its level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch

from napari_d24fad.detection.prepared import Prepared
from napari_d24fad.detection.scoring import Features, Scoring
from napari_d24fad.studies.scan import Scan

SEARCH_WINDOW = 0.04
"""Half-width of the search for the same level, as a fraction of the anatomy's extent."""

SLICES_PER_REFERENCE = 3
"""At most so many slices of one reference are compared with one query slice."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Features of some slices of one scan.

    Attributes:
        levels: ``(N,)`` position of each slice within the anatomy, 0 to 1.
        features: What the scoring keeps, first axis ``N``.
    """

    levels: npt.NDArray[np.float64] = field(repr=False)
    features: Features = field(repr=False)

    def aligned(self, method: Scoring, statistics: Features) -> Encoded:
        """Returns the same slices with features relative to a set of references."""
        return replace(self, features=method.align(self.features, statistics))

    def at(self, level: float) -> list[int]:
        """Returns the slices to compare with a slice at ``level``: the nearest few within reach."""
        distance = np.abs(self.levels - level)
        order = np.argsort(distance, kind="stable")[:SLICES_PER_REFERENCE]
        return [int(i) for n, i in enumerate(order) if n == 0 or distance[i] <= SEARCH_WINDOW]


@dataclass(frozen=True, slots=True, eq=False)
class EncodedScan:
    """A scan with its features: a reference, a query, or one after the other; never encoded twice.

    Attributes:
        scan: The scan, in its own order.
        prepared: What the network saw of it.
        indices: Canonical index of each encoded slice; `encoded` has the same order.
        encoded: The features.
    """

    scan: Scan
    prepared: Prepared = field(repr=False)
    indices: tuple[int, ...] = field(repr=False)
    encoded: Encoded = field(repr=False)


def supports_at(
    encoded: Sequence[Encoded], level: float, leave_out: int | None = None
) -> tuple[Features, list[int]]:
    """Collects the reference slices at one level.

    Args:
        encoded: All references.
        level: Position within the anatomy, 0 to 1.
        leave_out: Index of a reference not to use.

    Returns:
        Their features, first axis ``S``, and for each the index of its reference.
    """
    parts, owners = [], []
    for index, reference in enumerate(encoded):
        if index == leave_out:
            continue
        chosen = reference.at(level)
        parts.append(tuple(feature[chosen] for feature in reference.features))
        owners += [index] * len(chosen)
    return tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True)), owners
