"""The vision transformer of DINOv2, with Meta's state-dict names, in plain torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.network.teachers.architecture import Transformer
from napari_d24fad.network.teachers.described import DescribedTeacher
from napari_d24fad.network.teachers.positions import resized
from napari_d24fad.network.teachers.protocol import TeacherFeatures

_EPSILON = 1e-6
_WIDENED = 4
"""Hidden channels of a block's perceptron per channel of a token."""


class PatchEmbedding(nn.Module):
    """A linear map of each patch of the image."""

    def __init__(self, arch: Transformer) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, arch.width, arch.patch, stride=arch.patch)

    def forward(self, images: Tensor) -> Tensor:
        """Maps ``(N, 3, rows * patch, columns * patch)`` to ``(N, rows * columns, width)``."""
        tokens: Tensor = self.proj(images).flatten(2).transpose(1, 2)
        return tokens


class Attention(nn.Module):
    """Self-attention of all tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(N, T, width)`` to the same."""
        count, length, width = tokens.shape
        split = self.qkv(tokens).reshape(count, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        found = scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.proj(found.transpose(1, 2).reshape(count, length, width))
        return mixed


class Perceptron(nn.Module):
    """Two linear maps of each token with GELU between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, _WIDENED * width)
        self.fc2 = nn.Linear(_WIDENED * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(N, T, width)`` to the same."""
        found: Tensor = self.fc2(gelu(self.fc1(tokens)))
        return found


class LayerScale(nn.Module):
    """A factor for each channel (Touvron et al. 2021)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(N, T, width)`` to the same."""
        return tokens * self.gamma


class Block(nn.Module):
    """Attention and perceptron, each normalised before, scaled, and added to what came in."""

    def __init__(self, arch: Transformer) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(arch.width, eps=_EPSILON)
        self.attn = Attention(arch.width, arch.heads)
        self.ls1 = LayerScale(arch.width)
        self.norm2 = nn.LayerNorm(arch.width, eps=_EPSILON)
        self.mlp = Perceptron(arch.width)
        self.ls2 = LayerScale(arch.width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(N, T, width)`` to the same."""
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens)))
        found: Tensor = tokens + self.ls2(self.mlp(self.norm2(tokens)))
        return found


class VisionTransformer(DescribedTeacher):
    """Encoder whose maps are the tokens of patches after some of its blocks, all on one grid.

    Class token and registers take part in attention and are dropped from the maps. Each map goes through
    the last normalisation, as ``get_intermediate_layers`` of Meta's code does by default.
    """

    def __init__(self, name: str, arch: Transformer) -> None:
        super().__init__(name)
        self.arch = arch
        self.cls_token = nn.Parameter(torch.zeros(1, 1, arch.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + arch.grid**2, arch.width))
        if arch.registers:
            self.register_tokens = nn.Parameter(torch.zeros(1, arch.registers, arch.width))
        self.patch_embed = PatchEmbedding(arch)
        self.blocks = nn.ModuleList(Block(arch) for _ in range(arch.depth))
        self.norm = nn.LayerNorm(arch.width, eps=_EPSILON)

    def maps(self, images: Tensor, depths: Sequence[int]) -> tuple[Tensor, ...]:
        """Returns the tokens after some of the blocks, from 1, as ``(N, width, S / patch, S / patch)``.

        Raises:
            ArgumentError: BAD_ARGUMENT if a side of the images is no multiple of a patch.
        """
        patch = self.arch.patch
        rows, columns = (side // patch for side in images.shape[2:])
        if (rows * patch, columns * patch) != tuple(images.shape[2:]):
            raise ArgumentError(Code.BAD_ARGUMENT, f"Sides of images must be multiples of {patch} pixels.")
        tokens = self._tokens(images, (rows, columns))
        found = []
        for depth, block in enumerate(self.blocks[: max(depths)], start=1):
            tokens = block(tokens)
            if depth in depths:
                places = self.norm(tokens)[:, 1 + self.arch.registers :]
                found.append(places.transpose(1, 2).unflatten(2, (rows, columns)))
        return tuple(found)

    def forward(self, images: Tensor) -> TeacherFeatures:
        """Encodes images ``(N, 3, S, S)`` with ``S`` a multiple of a patch's side."""
        *scales, last = self.maps(images, (*self.arch.scales, self.arch.depth))
        fine, middle, coarse = scales
        return TeacherFeatures((fine, middle, coarse), last)

    def _tokens(self, images: Tensor, grid: tuple[int, int]) -> Tensor:
        """Class token, registers (which have no place) and patches, ``(N, T, width)``."""
        known = self.pos_embed
        places = resized(known[:, 1:], grid, registers=self.arch.registers > 0)
        patches = self.patch_embed(images) + places
        first = self.cls_token + known[:, :1]
        if self.arch.registers:
            first = torch.cat([first, self.register_tokens], dim=1)
        return torch.cat([first.expand(len(images), -1, -1), patches], dim=1)
