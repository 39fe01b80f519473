"""What an image shows, as vectors: one for each place, and one for all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.references.alignment import Alignment

COMPARED = 4
"""Teacher features at two scales, and residuals if there is a student; what else is kept is not described."""

TOP = 0.1
"""Share of the places that what an image shows most is the mean of."""

Vectors = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """An image as vectors.

    Attributes:
        places: ``(side * side, channels)``, aligned to the references, row by row on the coarse grid.
        inside: ``(side * side,)`` which places show anatomy, or what is to be examined of it.
        whole: ``(statistics,)`` mean, deviation and maximum of each channel over what is inside.
    """

    places: Vectors = field(repr=False)
    inside: npt.NDArray[np.bool_] = field(repr=False)
    whole: Vectors = field(repr=False)

    @property
    def side(self) -> int:
        """Places along one side of the coarse grid."""
        return int(np.sqrt(len(self.places)))

    def top(self, values: Vectors) -> float:
        """Mean of the highest values ``(side * side,)`` inside."""
        known = np.sort(values[self.inside])
        return float(known[-max(1, round(TOP * len(known))) :].mean())

    def most(self, values: Vectors) -> Places:
        """Which places inside have the highest values ``(side * side,)``, ascending."""
        order = np.argsort(np.where(self.inside, values, -np.inf), kind="stable")
        return np.asarray(order[-max(1, round(TOP * self.inside.sum())) :])

    def mean(self, places: Places) -> Vectors:
        """Mean vector of some places."""
        return np.asarray(self.places[places].mean(axis=0))


@torch.inference_mode()
def describe(
    image: EncodedScan, alignment: Alignment, region: npt.NDArray[np.bool_] | None = None
) -> Described:
    """Describes an encoded image relative to a set of references.

    Args:
        image: One slice, encoded for the scoring of the alignment.
        alignment: Of the references.
        region: ``(side, side)`` of the network input: what is examined; None for all of it.
    """
    features = [each[:1].float().cpu() for each in image.encoded.features[:COMPARED]]
    side = features[-1].shape[-1]
    places = aligned_places(image, alignment, slice(0, 1), side)[0].double()
    inside = image.prepared.inside(image.indices[:1], side, region)
    if not inside.any():  # smaller than a place of the coarse grid
        inside = torch.ones_like(inside)
    return Described(places.numpy(), inside.flatten().numpy(), _whole(features, image, region))


@torch.inference_mode()
def aligned_places(image: EncodedScan, alignment: Alignment, chosen: slice, side: int) -> Tensor:
    """Returns what places of some encoded slices show, aligned to the references.

    Args:
        image: Encoded for the scoring of the alignment.
        alignment: Of the references.
        chosen: Which of its encoded slices, ``n``.
        side: Places along one side of a slice.

    Returns:
        ``(n, side * side, channels)`` float32, row by row, on the CPU.
    """
    pooled = tuple(
        adaptive_avg_pool2d(each[chosen].float().cpu(), side) for each in image.encoded.features[:COMPARED]
    )
    statistics = tuple(each.float().cpu() for each in alignment.statistics)
    aligned = [each.float() for each in alignment.method.align(pooled, statistics)]
    places: Tensor = torch.cat(aligned, dim=1).flatten(2).transpose(1, 2) / np.sqrt(len(aligned))
    return places


def _whole(features: Sequence[Tensor], image: EncodedScan, region: npt.NDArray[np.bool_] | None) -> Vectors:
    found = []
    for each in features:
        inside = image.prepared.inside(image.indices[:1], each.shape[-1], region).flatten()
        values = each[0].flatten(1).double()
        values = values[:, inside] if inside.any() else values
        found += [values.mean(dim=1), values.std(dim=1, correction=0), values.amax(dim=1)]
    return torch.cat(found).numpy()
