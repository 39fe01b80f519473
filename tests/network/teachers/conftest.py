from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from tests.network.teachers.small import make_teachers_small


@pytest.fixture(autouse=True)
def small_teachers(monkeypatch: pytest.MonkeyPatch) -> None:
    make_teachers_small(monkeypatch)


def lively(module: nn.Module) -> nn.Module:
    """Gives every weight a value of its own, as large as trained ones: initial ones hide what is lost."""
    generator = torch.Generator().manual_seed(3)
    for name, tensor in module.state_dict().items():
        if not tensor.is_floating_point():
            continue
        values = torch.randn(tensor.shape, generator=generator)
        if name.endswith(("running_var", "norm.weight")) or ("norm" in name and name.endswith("weight")):
            values = 0.75 + 0.5 * torch.rand(tensor.shape, generator=generator)
        elif tensor.ndim > 1 and "token" not in name and "pos" not in name:
            values = values / tensor[0].numel() ** 0.5
        elif name.endswith("bias"):
            values = 0.1 * values
        tensor.copy_(values)
    return module.eval()


def as_meta(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of Hugging Face's files as Meta's: written here anew, from the two published key lists."""
    renamed = {
        "embeddings.cls_token": "cls_token",
        "embeddings.mask_token": "mask_token",
        "embeddings.position_embeddings": "pos_embed",
        "embeddings.register_tokens": "register_tokens",
        "embeddings.patch_embeddings.projection.weight": "patch_embed.proj.weight",
        "embeddings.patch_embeddings.projection.bias": "patch_embed.proj.bias",
        "layernorm.weight": "norm.weight",
        "layernorm.bias": "norm.bias",
    }
    found = {renamed[name]: tensor for name, tensor in state.items() if name in renamed}
    blocks = 1 + max(int(name.split(".")[2]) for name in state if name.startswith("encoder.layer."))
    for block in range(blocks):
        theirs, ours = f"encoder.layer.{block}", f"blocks.{block}"
        for part in ("weight", "bias"):
            found[f"{ours}.attn.qkv.{part}"] = torch.cat(
                [state[f"{theirs}.attention.attention.{which}.{part}"] for which in ("query", "key", "value")]
            )
            found[f"{ours}.attn.proj.{part}"] = state[f"{theirs}.attention.output.dense.{part}"]
            for layer in ("norm1", "norm2", "mlp.fc1", "mlp.fc2"):
                found[f"{ours}.{layer}.{part}"] = state[f"{theirs}.{layer}.{part}"]
        for number in (1, 2):
            found[f"{ours}.ls{number}.gamma"] = state[f"{theirs}.layer_scale{number}.lambda1"]
    return found
