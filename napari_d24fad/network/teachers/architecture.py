"""What teachers there are: the one table that teacher, student and weighting are built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_d24fad.errors import Code, ModelError

Triple = tuple[float, float, float]

IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION: Triple = (0.229, 0.224, 0.225)


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

    @property
    def strides(self) -> tuple[int, int, int]:
        """Pixels of the input from one place of each scale to the next."""
        return 4, 8, 16

    @property
    def multiple(self) -> int:
        """Sides of inputs are multiples of this: the side is halved five times."""
        return 32


@dataclass(frozen=True, slots=True)
class Transformer:
    """Shape of a vision transformer (Dosovitskiy et al. 2021) as DINOv2 has it (Oquab et al. 2023).

    Attributes:
        width: Channels of a token.
        heads: Of each attention.
        registers: Tokens besides the class token that stand for no place (Darcet et al. 2023).
        depth: Blocks.
        scales: After which blocks the three maps are taken that are compared.
        patch: Side in pixels of what one token stands for.
        grid: Tokens along a side of the images that the position embeddings were trained at.
    """

    width: int
    heads: int
    registers: int = 0
    depth: int = 12
    scales: tuple[int, int, int] = (3, 6, 9)
    patch: int = 14
    grid: int = 37

    @property
    def channels(self) -> tuple[int, int, int]:
        """Channels of the three scales that are compared."""
        return self.width, self.width, self.width

    @property
    def strides(self) -> tuple[int, int, int]:
        """Pixels of the input from one place of each scale to the next: the same for all."""
        return self.patch, self.patch, self.patch

    @property
    def multiple(self) -> int:
        """Sides of inputs are multiples of this."""
        return self.patch


@dataclass(frozen=True, slots=True)
class TeacherSpec:
    """What a teacher is, before any weights.

    Attributes:
        architecture: Its shape.
        mean: Of each channel of inputs in 0..1, subtracted where inputs are normalised.
        deviation: What they are divided by then.
        input_size: Side in pixels of the images it examines without a student.
    """

    architecture: Architecture | Transformer
    mean: Triple = IMAGENET_MEAN
    deviation: Triple = IMAGENET_DEVIATION
    input_size: int = 256


_SMALL, _BASE = Transformer(384, 6), Transformer(768, 12)

TEACHERS = {
    "compact": TeacherSpec(Architecture("basic", (2, 2, 2, 2), width=32)),
    "resnet18": TeacherSpec(Architecture("basic", (2, 2, 2, 2))),
    "wide_resnet50_2": TeacherSpec(Architecture("bottleneck", (3, 4, 6, 3), group_width=128)),
    # BMEII-AI/RadImageNet, pytorch_example.ipynb: torchvision's wiring, inputs (image - 127.5) * 2 / 255.
    "radimagenet_resnet50": TeacherSpec(
        Architecture("bottleneck", (3, 4, 6, 3)), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    ),
    "dinov2_vits14": TeacherSpec(_SMALL, input_size=252),
    "dinov2_vits14_reg4": TeacherSpec(Transformer(384, 6, registers=4), input_size=252),
    "dinov2_vitb14": TeacherSpec(_BASE, input_size=252),
    "dinov2_vitb14_reg4": TeacherSpec(Transformer(768, 12, registers=4), input_size=252),
    # microsoft/rad-dino, preprocessor_config.json.
    "rad_dino": TeacherSpec(_BASE, (0.5307,) * 3, (0.2583,) * 3, input_size=518),
}
"""By name. ``resnet18`` and ``wide_resnet50_2`` carry torchvision's names and state-dict keys, the
transformers those that Meta publishes DINOv2 with."""


def teacher_spec(name: str) -> TeacherSpec:
    """Looks a teacher up.

    Raises:
        ModelError: MODEL_MISMATCH if there is none of this name.
    """
    try:
        return TEACHERS[name]
    except KeyError:
        known = ", ".join(sorted(TEACHERS))
        raise ModelError(Code.MODEL_MISMATCH, f"Known teachers are {known}.") from None
