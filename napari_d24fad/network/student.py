"""The student: the teacher's stages run backwards from its last output, re-creating its three scales."""

from __future__ import annotations

from torch import Tensor, nn

from napari_d24fad.network.teachers.architecture import Architecture
from napari_d24fad.network.teachers.residual import convolution

Scales = tuple[Tensor, Tensor, Tensor]


def enlarge(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """The 2x2 transposed convolution that doubles a side, in place of a strided convolution."""
    return nn.ConvTranspose2d(inputs, outputs, 2, stride=2, bias=False)


def shortcut(inputs: int, outputs: int, enlarges: bool) -> nn.Sequential | None:
    """The projection beside a block that doubles the side; None where shapes agree."""
    return nn.Sequential(enlarge(inputs, outputs), nn.BatchNorm2d(outputs)) if enlarges else None


class BasicBlock(nn.Module):
    """The teacher's basic block, whose first convolution may double the side."""

    def __init__(self, inputs: int, planes: int, enlarges: bool, arch: Architecture) -> None:
        super().__init__()
        self.conv1 = enlarge(inputs, planes) if enlarges else convolution(inputs, planes, 3)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = convolution(planes, planes, 3)
        self.bn2 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.upsample = shortcut(inputs, planes * arch.expansion, enlarges)

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(N, inputs, H, W)`` to ``(N, planes, H, W)``, or twice the side."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        identity = x if self.upsample is None else self.upsample(x)
        return self.relu(out + identity)  # type: ignore[no-any-return]  # nn.Module.__call__ is Any


class Bottleneck(nn.Module):
    """The teacher's bottleneck, whose middle convolution may double the side."""

    def __init__(self, inputs: int, planes: int, enlarges: bool, arch: Architecture) -> None:
        super().__init__()
        width = planes * arch.group_width // 64
        outputs = planes * arch.expansion
        self.conv1 = convolution(inputs, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = enlarge(width, width) if enlarges else convolution(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = convolution(width, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.upsample = shortcut(inputs, outputs, enlarges)

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(N, inputs, H, W)`` to ``(N, 4 planes, H, W)``, or twice the side."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        identity = x if self.upsample is None else self.upsample(x)
        return self.relu(out + identity)  # type: ignore[no-any-return]  # nn.Module.__call__ is Any


class Student(nn.Module):
    """Decoder from the teacher's stage-4 output back to its stages 3, 2 and 1."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        block = BasicBlock if arch.block == "basic" else Bottleneck
        inputs = 8 * arch.width * arch.expansion
        for stage in range(3):
            planes = arch.width * 2 ** (2 - stage)
            blocks = []
            for position in range(arch.depths[stage]):
                blocks.append(block(inputs, planes, position == 0, arch))
                inputs = planes * arch.expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))

    def forward(self, embedding: Tensor) -> Scales:
        """Re-creates the teacher's scales.

        Args:
            embedding: ``(N, C_4, S / 32, S / 32)``, `TeacherFeatures.embedding`.

        Returns:
            Shapes of `TeacherFeatures.scales`, finest first.
        """
        coarse, middle = self.coarser(embedding)
        return self.get_submodule("layer3")(middle), middle, coarse

    def coarser(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Re-creates the coarse and the middle scale alone, in that order: half the work."""
        coarse = self.get_submodule("layer1")(embedding)
        return coarse, self.get_submodule("layer2")(coarse)
