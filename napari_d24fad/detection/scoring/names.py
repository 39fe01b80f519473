"""The scorings by name."""

from __future__ import annotations

from napari_d24fad.detection.scoring.matched import FOR_IMAGES, FOR_VOLUMES
from napari_d24fad.detection.scoring.paper import PaperScoring
from napari_d24fad.detection.scoring.protocol import Scoring
from napari_d24fad.errors import ArgumentError, Code


def scoring(name: str, volume: bool) -> Scoring:
    """Returns a scoring by name.

    Args:
        name: ``"paper"`` or ``"matched"``.
        volume: Whether slices of volumes are compared, which lie at the same place.

    Raises:
        ArgumentError: BAD_ARGUMENT for another name.
    """
    if name == "paper":
        return PaperScoring()
    if name == "matched":
        return FOR_VOLUMES if volume else FOR_IMAGES
    raise ArgumentError(Code.BAD_ARGUMENT, "The scoring must be paper or matched.")
