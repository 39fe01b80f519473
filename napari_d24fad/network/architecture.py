"""Which residual networks there are: the one table that teacher, student and weighting are built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_d24fad.errors import Code, ModelError


@dataclass(frozen=True, slots=True)
class Architecture:
    """Shape of a residual teacher and of the student that runs it backwards.

    Attributes:
        block: ``"basic"`` (two 3x3 convolutions) or ``"bottleneck"`` (1x1, 3x3, 1x1).
        depths: Blocks in the teacher's four stages; the student uses the first three.
        width: Channels of the first stage before expansion (64 in torchvision).
        group_width: Bottleneck width per 64 planes (128 makes a "wide" ResNet).
    """

    block: Literal["basic", "bottleneck"]
    depths: tuple[int, int, int, int]
    width: int = 64
    group_width: int = 64

    @property
    def expansion(self) -> int:
        """Ratio of a block's output channels to its planes."""
        return 4 if self.block == "bottleneck" else 1

    @property
    def channels(self) -> tuple[int, int, int]:
        """Channels of the three scales that are compared, finest first."""
        first = self.width * self.expansion
        return first, 2 * first, 4 * first


ARCHITECTURES = {
    "compact": Architecture("basic", (2, 2, 2, 2), width=32),
    "resnet18": Architecture("basic", (2, 2, 2, 2)),
    "wide_resnet50_2": Architecture("bottleneck", (3, 4, 6, 3), group_width=128),
}
"""By teacher name. The last two carry torchvision's names and state-dict keys."""


def architecture(name: str) -> Architecture:
    """Looks an architecture up.

    Raises:
        ModelError: MODEL_MISMATCH if there is none of this name.
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        known = ", ".join(sorted(ARCHITECTURES))
        raise ModelError(Code.MODEL_MISMATCH, f"Known architectures are {known}.") from None
