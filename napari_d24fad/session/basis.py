"""What an examination was made from, kept as long as somebody has the examination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_d24fad.session.request import Request

if TYPE_CHECKING:
    from napari_d24fad.detection.encoding.encoded import EncodedScan
    from napari_d24fad.detection.published import PublishedDistances
    from napari_d24fad.detection.references.reference_set import References
    from napari_d24fad.session.held import Held


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What an examination was made from.

    Attributes:
        request: What was asked for.
        distances: The query beside the references, by features.
        held: The same place by place, where its kind of study has a plan.
    """

    request: Request
    distances: PublishedDistances
    held: Held | None

    @property
    def query(self) -> EncodedScan:
        """The scan that was examined."""
        return self.distances.query

    @property
    def references(self) -> References:
        """What it was compared with."""
        return self.distances.references
