"""RadImageNet's ResNet-50 as its authors' PyTorch file has it: torchvision's wiring, parts numbered."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from napari_d24fad.network.normalise import normalise
from napari_d24fad.network.teachers.architecture import Architecture, teacher_spec
from napari_d24fad.network.teachers.build import build_residual
from napari_d24fad.network.teachers.naming import own_names
from tests.network.teachers.conftest import lively

transformers = pytest.importorskip("transformers", reason="an independent ResNet is compared with")


def theirs(*, stride_first: bool = False) -> torch.nn.Module:
    """transformers' ResNet of the small shape; a block's 3x3 convolution has the stride, as torchvision's."""
    arch = teacher_spec("radimagenet_resnet50").architecture
    assert isinstance(arch, Architecture)
    config = transformers.ResNetConfig(
        embedding_size=arch.width,
        hidden_sizes=[arch.width * 4 * 2**stage for stage in range(4)],
        depths=list(arch.depths),
        downsample_in_bottleneck=stride_first,
    )
    return lively(transformers.ResNetModel(config))


def numbered(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The names of ``RadImageNet_pytorch/ResNet50.pt``, written from its loading example."""
    found = {}
    for name, tensor in state.items():
        name = re.sub(r"^embedder\.embedder\.convolution", "backbone.0", name)
        name = re.sub(r"^embedder\.embedder\.normalization", "backbone.1", name)
        block = re.match(r"encoder\.stages\.(\d)\.layers\.(\d)\.(.*)", name)
        if block:
            rest = re.sub(r"^layer\.(\d)\.convolution", lambda m: f"conv{int(m[1]) + 1}", block[3])
            rest = re.sub(r"^layer\.(\d)\.normalization", lambda m: f"bn{int(m[1]) + 1}", rest)
            rest = rest.replace("shortcut.convolution", "downsample.0")
            rest = rest.replace("shortcut.normalization", "downsample.1")
            name = f"backbone.{int(block[1]) + 4}.{block[2]}.{rest}"
        found[name] = tensor
    return found


@torch.inference_mode()
def test_every_stage_is_theirs() -> None:
    model = theirs()
    teacher = build_residual("radimagenet_resnet50")
    weights = own_names(numbered(model.state_dict()), teacher_spec("radimagenet_resnet50").architecture)
    missing = teacher.load_state_dict(weights, strict=False)
    assert not missing.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in missing.missing_keys)
    pixels = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    expected = model(pixels, output_hidden_states=True).hidden_states[1:]
    found = teacher.maps(pixels, (1, 2, 3, 4))
    for one, other in zip(found, expected, strict=True):
        assert float(other.abs().mean()) > 0.01
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-5)
    keras = theirs(stride_first=True)(pixels, output_hidden_states=True).hidden_states[1:]
    assert float((keras[1] - expected[1]).abs().max()) > 0.01, "the stride's place is seen by this test"


def test_inputs_are_scaled_as_its_authors_do() -> None:
    """``(image - 127.5) * 2 / 255`` of 8 bits, in the example beside the weights."""
    levels = torch.arange(256.0)
    teacher = build_residual("radimagenet_resnet50")
    found = normalise((levels / 255).expand(1, 3, 1, -1), teacher.mean, teacher.deviation)
    torch.testing.assert_close(found[0, 0, 0], (levels - 127.5) * 2 / 255, atol=1e-6, rtol=0)
