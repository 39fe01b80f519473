"""How features become anomaly maps: the interface that the published comparison and our default share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from napari_d24fad.network.d24fad import D24FAD

Features = tuple[Tensor, ...]
"""What a scoring keeps of ``N`` images: tensors whose first axis is ``N``."""


class Scoring(Protocol):
    """A way to compare images.

    ``encode`` is called once per image, ``statistics`` once per set of references, ``align`` once
    per image and set, ``supports`` once per reference and set, ``compare`` once per query with the
    supports chosen for it.
    ``compare`` returns one map per component; `Null` makes them one.
    """

    @property
    def name(self) -> str:
        """What users choose it by."""

    @property
    def standardised(self) -> bool:
        """Whether components are divided by their mean among the references, then averaged."""

    @property
    def relative(self) -> bool:
        """Whether maps are divided by what references show at the same place."""

    @property
    def weighed(self) -> bool:
        """Whether a place counts less the more the maps of references vary there."""

    @property
    def smoothing(self) -> float:
        """Standard deviation of the Gaussian that smooths a map, as a fraction of the side."""

    @property
    def mirrored(self) -> bool:
        """Whether queries are compared with the mirror images of the references too."""

    def map_side(self, side: int) -> int:
        """Side of the maps in pixels for network inputs of ``side`` pixels."""

    def encode(self, network: D24FAD, images: Tensor) -> Features:
        """Encodes network inputs ``(N, 3, S, S)``."""

    def supports(self, network: D24FAD, features: Features) -> Features:
        """Adds what is compared of references but not of queries."""

    def statistics(self, references: Sequence[Features]) -> Features:
        """Measures what `align` needs to know of a set of references."""

    def align(self, features: Features, statistics: Features) -> Features:
        """Expresses the features of a query or reference relative to the set of references."""

    def compare(
        self,
        query: Features,
        supports: Features,
        owners: Sequence[int],
        side: int,
        shares: Sequence[float] | None = None,
        near: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Compares queries with supports.

        Args:
            query: Aligned features of ``N`` images.
            supports: Of ``S`` images, of `supports` with aligned features.
            owners: For each support, the index of the reference it is of.
            side: Side of the maps in pixels, of `map_side`.
            shares: For each reference, how much it counts, above 0 and up to 1; None for 1 each.
            near: ``(N, S)``, which query is compared with which support; None for each with all.

        Returns:
            Distances ``(N, components, side, side)`` and weights ``(N, S, scales)``, which
            sum to 1 over the supports.
        """

    def image_score(self, maps: Tensor, inside: Tensor) -> Tensor:
        """Turns smoothed maps ``(N, side, side)`` into one number each, ``(N,)``.

        Args:
            maps: The maps.
            inside: Of the same shape, what of them counts; the score is NaN where nothing does.
        """
