"""Residual teachers: frozen encoders with torchvision's wiring and state-dict names."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from napari_d24fad.network.teachers.architecture import Architecture
from napari_d24fad.network.teachers.described import DescribedTeacher
from napari_d24fad.network.teachers.protocol import TeacherFeatures


def convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    """A same-padded convolution without bias, as all of them are before BatchNorm."""
    return nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016)."""

    def __init__(self, inputs: int, planes: int, stride: int, arch: Architecture) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, planes, 3, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = convolution(planes, planes, 3)
        self.bn2 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(inputs, planes * arch.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(N, inputs, H, W)`` to ``(N, planes, H / stride, W / stride)``."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(out + identity)  # type: ignore[no-any-return]  # nn.Module.__call__ is Any


class Bottleneck(nn.Module):
    """1x1, 3x3 (which carries the stride) and 1x1 convolutions and a shortcut."""

    def __init__(self, inputs: int, planes: int, stride: int, arch: Architecture) -> None:
        super().__init__()
        width = planes * arch.group_width // 64
        outputs = planes * arch.expansion
        self.conv1 = convolution(inputs, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = convolution(width, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(N, inputs, H, W)`` to ``(N, 4 planes, H / stride, W / stride)``."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(out + identity)  # type: ignore[no-any-return]  # nn.Module.__call__ is Any


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """The projection beside a block that changes shape; None where it does not."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class ResidualTeacher(DescribedTeacher):
    """Residual encoder without the classifier; loads torchvision's state dict less ``fc``."""

    def __init__(self, name: str, arch: Architecture) -> None:
        super().__init__(name)
        block = BasicBlock if arch.block == "basic" else Bottleneck
        self.conv1 = nn.Conv2d(3, arch.width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(arch.width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        inputs = arch.width
        for stage, depth in enumerate(arch.depths):
            planes = arch.width * 2**stage
            blocks = []
            for position in range(depth):
                stride = 2 if stage > 0 and position == 0 else 1
                blocks.append(block(inputs, planes, stride, arch))
                inputs = planes * arch.expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))

    def maps(self, images: Tensor, depths: Sequence[int]) -> tuple[Tensor, ...]:
        """Returns the outputs of some of the stages 1 to 4, of side ``S / 4``, ``S / 8`` and so on."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        found = []
        for stage in range(1, max(depths) + 1):
            x = self.get_submodule(f"layer{stage}")(x)
            if stage in depths:
                found.append(x)
        return tuple(found)

    def forward(self, images: Tensor) -> TeacherFeatures:
        """Encodes images ``(N, 3, S, S)`` with ``S`` a multiple of 32: stages 1 to 3, and stage 4."""
        fine, middle, coarse, embedding = self.maps(images, (1, 2, 3, 4))
        return TeacherFeatures((fine, middle, coarse), embedding)
