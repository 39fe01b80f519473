"""A network made fast for inference: normalisation folded, layout and precision of the device."""

from __future__ import annotations

import copy
from typing import Literal, get_args

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_d24fad.network.d24fad import D24FAD
from napari_d24fad.network.packed import can_pack, pack

Precision = Literal["exact", "float32", "bfloat16"]
"""``"exact"`` runs the network as it was trained; the others fold its normalisation first.

On CUDA, ``"float32"`` leaves it to torch's setting whether convolutions round to TF32."""

PRECISIONS: tuple[Precision, ...] = get_args(Precision)


def for_inference(network: D24FAD, precision: Precision) -> D24FAD:
    """Returns a copy of a network that computes the same faster.

    BatchNorm in evaluation mode is a scale and a shift per channel, which the convolution before
    it can do as well. Channels come last in memory, as fast kernels want them. On a CPU, blocks are
    packed as well (see `packed`).

    Args:
        network: In evaluation mode; not changed.
        precision: ``"exact"`` returns the network itself.
    """
    if precision == "exact":
        return network
    folded = copy.deepcopy(network)
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    # Not learn-to-weight: a rounded product over all positions may make its softmax choose another support.
    for module in (folded.teacher, folded.student):
        _fold(module)
        # Module.to takes a memory format by a keyword that its annotations do not declare.
        module.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]  # see above
    if next(folded.teacher.parameters()).device.type == "cpu" and can_pack(dtype):
        pack(folded)
    return folded


def _fold(module: nn.Module) -> None:
    for block in list(module.modules()):
        pairs = [(f"conv{n}", f"bn{n}") for n in (1, 2, 3)]
        if isinstance(block, nn.Sequential):
            pairs = [("0", "1")]
        for first, second in pairs:
            convolution, norm = getattr(block, first, None), getattr(block, second, None)
            if isinstance(convolution, (nn.Conv2d, nn.ConvTranspose2d)) and isinstance(norm, nn.BatchNorm2d):
                transposed = isinstance(convolution, nn.ConvTranspose2d)
                setattr(block, first, fuse_conv_bn_eval(convolution, norm, transpose=transposed))
                setattr(block, second, nn.Identity())
