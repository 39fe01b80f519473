"""Features of scans, and which reference slices a query slice is compared with: those at its level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.detection.encoding.prepared import Prepared
from napari_d24fad.detection.encoding.store import collect
from napari_d24fad.detection.scoring.protocol import Features, Scoring
from napari_d24fad.studies.scan import Scan

SEARCH_WINDOW = 0.04
"""Half-width of the search for the same level, as a fraction of the anatomy's extent."""

SLICES_PER_REFERENCE = 3
"""At most so many slices of one reference are compared with one query slice."""

MAX_LEVELS = 64
"""At most so many slices of each reference are encoded, evenly spread."""


def evenly(total: int, count: int) -> npt.NDArray[np.int_]:
    """Returns ``count`` positions evenly spread over ``total``, from the first to the last; all if fewer."""
    chosen: npt.NDArray[np.int_] = np.linspace(0, total - 1, min(count, total)).round().astype(int)
    return chosen


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Features of some slices of one scan.

    Attributes:
        levels: ``(N,)`` position of each slice within the anatomy, 0 to 1.
        features: What the scoring keeps, first axis ``N``.
    """

    levels: npt.NDArray[np.float64] = field(repr=False)
    features: Features = field(repr=False)

    def on(self, device: torch.device) -> Encoded:
        """Returns the same with its features on a device."""
        return replace(self, features=tuple(upload(feature, device) for feature in self.features))

    def aligned(self, method: Scoring, statistics: Features) -> Encoded:
        """Returns the same slices with features relative to a set of references."""
        return replace(self, features=method.align(self.features, statistics))

    def and_mirrored(self, mirrored: Features) -> Encoded:
        """Returns the slices and after them their mirror images, at the same levels."""
        both = zip(self.features, mirrored, strict=True)
        return Encoded(np.tile(self.levels, 2), tuple(torch.cat(pair) for pair in both))

    def part(self, chosen: slice) -> Encoded:
        """Returns some of the slices."""
        return Encoded(self.levels[chosen], tuple(feature[chosen] for feature in self.features))

    def at_most(self, count: int) -> Encoded:
        """Returns so many of the slices, evenly spread; see `evenly`."""
        chosen = torch.from_numpy(evenly(len(self.levels), count))
        return Encoded(self.levels[chosen.numpy()], tuple(feature[chosen] for feature in self.features))

    def at(self, level: float, most: int = SLICES_PER_REFERENCE) -> list[int]:
        """Returns the slices to compare with a slice at ``level``: the nearest ``most`` within reach."""
        distance = np.abs(self.levels - level)
        order = np.argsort(distance, kind="stable")[:most]
        return [int(i) for n, i in enumerate(order) if n == 0 or distance[i] <= SEARCH_WINDOW]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
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

    @property
    def is_whole(self) -> bool:
        """Whether all slices that hold anatomy are encoded, and not only some."""
        return len(self.indices) == len(self.prepared.examined)

    @classmethod
    def join(cls, parts: Sequence[EncodedScan]) -> EncodedScan:
        """Makes one of several that hold different slices of the same scan, in the order of slices."""
        indices = [index for part in parts for index in part.indices]
        order = np.argsort(indices)
        slices = [(part.encoded, at) for part in parts for at in range(len(part.indices))]
        ordered = [encoded.part(slice(at, at + 1)) for encoded, at in (slices[each] for each in order)]
        features = collect(len(ordered), (each.features for each in ordered))
        levels = np.concatenate([each.levels for each in ordered])
        return cls(
            parts[0].scan, parts[0].prepared, tuple(indices[at] for at in order), Encoded(levels, features)
        )

    def at_most(self, count: int) -> EncodedScan:
        """Returns the scan with so many of its encoded slices, evenly spread; itself if it has no more."""
        if len(self.indices) <= count:
            return self
        indices = tuple(self.indices[at] for at in evenly(len(self.indices), count))
        return replace(self, indices=indices, encoded=self.encoded.at_most(count))

    def with_features(self, features: Features) -> EncodedScan:
        """Returns the same with its features elsewhere."""
        return replace(self, encoded=replace(self.encoded, features=features))

    def without_pixels(self) -> EncodedScan:
        """Returns the same without the pixels of the scan, which a reference needs no more.

        Images and colour keep theirs: they are small, and mirror images are made of them.
        """
        if self.scan.is_colour or not self.scan.is_volume:
            return self
        scan = self.scan.without_pixels()
        return replace(self, scan=scan, prepared=self.prepared.without_pixels(scan, self.indices))

    def own_index(self, index: int) -> int:
        """Canonical slice index to that along the slice axis of the scan, and back: its own inverse."""
        return self.scan.n_slices - 1 - index if self.prepared.orientation.flips[0] else index

    def with_pixels(self, scan: Scan, prepared: Prepared) -> EncodedScan:
        """Returns the same with the pixels of the scan again."""
        return replace(self, scan=scan, prepared=prepared)

    def order_of(self, parts: Sequence[EncodedScan]) -> list[int]:
        """Returns for each slice its position among those of the parts that were joined."""
        indices = [index for part in parts for index in part.indices]
        return [indices.index(index) for index in self.indices]


@dataclass(frozen=True, slots=True, eq=False)
class Supports:
    """The reference slices that a few slices are compared with, each of them once.

    Attributes:
        features: What the scoring keeps, first axis ``S``.
        owners: ``S``, for each the index of its reference.
        positions: ``S``, its position among the encoded slices of that reference.
        near: ``(N, S)``, whether it is compared with each of the slices.
    """

    features: Features = field(repr=False)
    owners: list[int]
    positions: list[int]
    near: Tensor = field(repr=False)


def supports_at(
    encoded: Sequence[Encoded], levels: Sequence[float], most: int = SLICES_PER_REFERENCE
) -> Supports:
    """Collects the reference slices at some levels.

    Args:
        encoded: The references.
        levels: ``N`` positions within the anatomy, 0 to 1.
        most: So many slices of each reference are compared with one of the slices.
    """
    parts, owners, positions, near = [], [], [], []
    for index, reference in enumerate(encoded):
        each = [set(reference.at(level, most)) for level in levels]
        wanted = sorted(set[int]().union(*each))
        run = range(wanted[0], wanted[-1] + 1)
        # Mostly they follow each other, which needs no copy; not where mirror images are among them.
        at = slice(run.start, run.stop) if len(run) == len(wanted) else wanted
        parts.append(tuple(feature[at] for feature in reference.features))
        owners += [index] * len(wanted)
        positions += wanted
        near.append(torch.tensor([[one in chosen for one in wanted] for chosen in each]))
    features = tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True))
    return Supports(features, owners, positions, upload(torch.cat(near, dim=1), features[0].device))
