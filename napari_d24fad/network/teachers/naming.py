"""From the names that publishers give weights to ours, which are torchvision's and Meta's."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from napari_d24fad.network.teachers.architecture import Architecture, Transformer

_NOT_USED = re.compile(r"^(fc\.|backbone\.8\.|mask_token$|.*num_batches_tracked$|pooler\.|classifier\.)")
"""Classifiers, what was masked in training, and counters that nothing reads."""

# RadImageNet's file numbers the children of torchvision's network.
_CHILDREN = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
_NUMBERED = re.compile(r"^backbone\.(\d)\.")

_HUGGING_FACE = (
    (r"^(dinov2|dinov2_with_registers)\.", ""),
    (r"^embeddings\.(cls_token|mask_token|register_tokens)$", r"\1"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^layernorm\.", "norm."),
    (r"^encoder\.layer\.(\d+)\.", r"blocks.\1."),
    (r"\.attention\.attention\.([qkv])(?:uery|ey|alue)\.", r".attn.\1."),
    (r"\.attention\.([qkv])_proj\.", r".attn.\1."),  # as transformers names them since its version 5
    (r"\.attention\.(output\.dense|o_proj)\.", ".attn.proj."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
)


def own_names(weights: Mapping[str, Tensor], kind: Architecture | Transformer) -> dict[str, Tensor]:
    """Renames published weights, and leaves out what a teacher does not use.

    Knows torchvision's names, RadImageNet's (which numbers the parts of that network), Meta's of DINOv2
    and Hugging Face's of the same. What has another name keeps it.

    Args:
        weights: As published.
        kind: The teacher they are to be for.
    """
    if isinstance(kind, Architecture):
        return _residual(weights)
    return _transformer(weights)


def _residual(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = {}
    for name, tensor in weights.items():
        if _NOT_USED.match(name):
            continue
        numbered = _NUMBERED.match(name)
        if numbered and numbered[1] in _CHILDREN:
            name = f"{_CHILDREN[numbered[1]]}.{name[numbered.end() :]}"
        found[name] = tensor
    return found


def _transformer(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = {}
    for name, tensor in weights.items():
        for theirs, ours in _HUGGING_FACE:
            name = re.sub(theirs, ours, name)
        if not _NOT_USED.match(name):
            found[name] = tensor
    # Hugging Face keeps the three maps of an attention apart; Meta's is one above the other.
    for query in [name for name in found if ".attn.q." in name]:
        parts = [query.replace(".attn.q.", f".attn.{each}.") for each in "qkv"]
        if all(part in found for part in parts):
            joined = torch.cat([found.pop(part) for part in parts])
            found[query.replace(".attn.q.", ".attn.qkv.")] = joined
    return found
