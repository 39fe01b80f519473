from __future__ import annotations

import copy

import pytest
import torch

from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.inference import _fold
from napari_d24fad.network.packed import PackedBlock, PackedConvolution, can_pack, pack


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("teacher", ["compact", "resnet18", "wide_resnet50_2"])
@torch.inference_mode()
def test_packed_network_computes_the_same(teacher: str, dtype: torch.dtype) -> None:
    if not can_pack(dtype):
        pytest.skip(f"torch has no packed convolutions of {dtype} on this processor")
    torch.manual_seed(0)
    eager = build_network(teacher)
    for part in (eager.teacher, eager.student):
        _fold(part)
        part.to(dtype=dtype, memory_format=torch.channels_last)
    packed = copy.deepcopy(eager)
    pack(packed)
    assert sum(isinstance(module, PackedBlock) for module in packed.modules()) >= 13
    for count, side in ((3, 64), (2, 96)):  # the layout was chosen for the first of them
        images = torch.rand(count, 3, side, side, dtype=dtype).to(memory_format=torch.channels_last)
        kept = images.clone()
        expected, found = (
            (*each.teacher(images).scales, *each.student(each.teacher(images).embedding))
            for each in (eager, packed)
        )
        tolerance = 1e-5 if dtype == torch.float32 else 0.05
        for one, other in zip(expected, found, strict=True):
            assert other.is_contiguous(memory_format=torch.channels_last)
            assert float((one - other).abs().max()) <= tolerance * float(one.abs().max())
            assert float((one - other).abs().mean()) <= 0.2 * tolerance * float(one.abs().mean())
        assert torch.equal(images, kept), "images are not written to"


@torch.inference_mode()
def test_weights_are_laid_out_once() -> None:
    if not can_pack(torch.float32):
        pytest.skip("torch has no packed convolutions on this processor")
    convolution = PackedConvolution(torch.nn.Conv2d(8, 8, 3, padding=1), relu=True)
    images = torch.rand(2, 8, 16, 16)
    convolution(images)
    laid_out = convolution._weight(images)
    convolution(torch.rand(1, 8, 32, 32))
    assert convolution._weight(images) is laid_out
