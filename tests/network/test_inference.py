from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.inference import for_inference


@pytest.mark.parametrize("teacher", ["compact", "resnet18", "wide_resnet50_2"])
@torch.inference_mode()
def test_folded_network_computes_the_same(teacher: str) -> None:
    torch.manual_seed(0)
    network = build_network(teacher)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # as after training: neither 0 nor 1
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
            module.weight.uniform_(0.5, 1.5)
            module.bias.uniform_(-0.5, 0.5)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    folded = for_inference(network, "float32")
    assert not any(
        isinstance(m, nn.BatchNorm2d) for part in (folded.teacher, folded.student) for m in part.modules()
    )
    images = torch.rand(2, 3, 64, 64)
    expected, found = (
        (*each.teacher(images).scales, *each.student(each.teacher(images).embedding))
        for each in (network, folded)
    )
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-3 * float(one.abs().mean()))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), "the network itself is not changed"


@torch.inference_mode()
def test_student_can_stop_at_the_middle_scale() -> None:
    network = build_network("compact")
    embedding = network.teacher(torch.rand(1, 3, 64, 64)).embedding
    _, middle, coarse = network.student(embedding)
    for one, other in zip(network.student.coarser(embedding), (coarse, middle), strict=True):
        assert torch.equal(one, other)


def test_exact_is_the_network_itself() -> None:
    network = build_network("compact")
    assert for_inference(network, "exact") is network
