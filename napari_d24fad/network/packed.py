"""Residual blocks as oneDNN computes them: weights laid out once, ReLU and shortcut in the same pass.

On a CPU, eager torch lays a convolution's weights out anew at every call, which with few images
takes a good part of the time, and passes over its output two or three times. These are the
operators that torch's own compiler calls; called from here they need no compiler on the machine.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_d24fad.network import student
from napari_d24fad.network.d24fad import D24FAD
from napari_d24fad.network.teachers import residual

_BLOCKS = (residual.BasicBlock, residual.Bottleneck, student.BasicBlock, student.Bottleneck)


def can_pack(dtype: torch.dtype) -> bool:
    """Tells whether this build of torch, on this processor, has what packed convolutions need."""
    available = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # torch has no annotation
    if not (available and hasattr(torch.ops.mkldnn, "_convolution_pointwise")):
        return False
    return dtype == torch.float32 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def pack(network: D24FAD) -> None:
    """Replaces the convolutions of a network on the CPU, whose BatchNorm is folded, by packed ones.

    A transformer and its student stay as they are.
    """
    if not isinstance(network.teacher, residual.ResidualTeacher):
        return
    network.teacher.register_module("conv1", PackedConvolution(network.teacher.conv1, relu=True))
    network.teacher.register_module("relu", nn.Identity())
    for stages in (network.teacher, network.student):
        for stage in stages.children():
            if isinstance(stage, nn.Sequential):
                for position, block in enumerate(stage):
                    stage[position] = PackedBlock(block)


class PackedConvolution(nn.Module):
    """A convolution, and the ReLU after it.

    Args:
        convolution: Its weights are taken over when the first images come, whose size tells
            oneDNN the layout; it must not be used again.
        relu: Whether a ReLU follows.
    """

    def __init__(self, convolution: nn.Conv2d, *, relu: bool) -> None:
        super().__init__()
        self._bias = convolution.bias
        self._after = "relu" if relu else "none"
        self._geometry = (
            list(convolution.padding),
            list(convolution.stride),
            list(convolution.dilation),
            convolution.groups,
        )
        self._dense: Tensor | None = convolution.weight.detach()
        self._packed: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(N, inputs, H, W)``, channels last, as the convolution does."""
        operator = torch.ops.mkldnn._convolution_pointwise.default
        weight = self._weight(x)
        return operator(x, weight, self._bias, *self._geometry, self._after, [], "")  # type: ignore[no-any-return]  # torch.ops is Any

    def onto(self, shortcut: Tensor, x: Tensor) -> Tensor:
        """Returns the ReLU of the convolution of ``x`` plus ``shortcut``, ``(N, outputs, H, W)``."""
        operator = torch.ops.mkldnn._convolution_pointwise.binary
        weight = self._weight(x)
        return operator(x, shortcut, weight, self._bias, *self._geometry, "add", 1.0, "relu", [], "")  # type: ignore[no-any-return]  # torch.ops is Any

    def _weight(self, x: Tensor) -> Tensor:
        dense = self._dense
        if dense is not None:
            reorder = torch.ops.aten.mkldnn_reorder_conv2d_weight
            self._packed = reorder(dense.to_mkldnn(), *self._geometry, list(x.shape))
            self._dense = None  # last: another thread takes what is packed only then
        assert self._packed is not None
        return self._packed


class PackedBlock(nn.Module):
    """A residual block of teacher or student; transposed convolutions gain nothing and stay as they are."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        assert isinstance(block, _BLOCKS)
        names = [name for name in ("conv1", "conv2", "conv3") if hasattr(block, name)]
        *first, last = (block.get_submodule(name) for name in names)
        layers: list[nn.Module] = []
        for layer in first:
            if isinstance(layer, nn.Conv2d):
                layers.append(PackedConvolution(layer, relu=True))
            else:
                layers += [layer, nn.ReLU(inplace=True)]
        self.before = nn.Sequential(*layers)
        assert isinstance(last, nn.Conv2d)
        self.last = PackedConvolution(last, relu=True)
        projection = getattr(block, "downsample", None) or getattr(block, "upsample", None)
        if projection is not None and isinstance(projection[0], nn.Conv2d):
            projection[0] = PackedConvolution(projection[0], relu=False)
        self.projection = projection

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(N, C, H, W)``, channels last, as the block does."""
        shortcut = x if self.projection is None else self.projection(x)
        return self.last.onto(shortcut, self.before(x))
