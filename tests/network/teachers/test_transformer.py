"""Our transformer computes what transformers' DINOv2 computes, whatever the names of the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.network.teachers.architecture import TEACHERS, TeacherSpec, Transformer, teacher_spec
from napari_d24fad.network.teachers.build import build_teacher
from napari_d24fad.network.teachers.naming import own_names
from napari_d24fad.network.teachers.positions import resized
from napari_d24fad.network.teachers.protocol import Teacher
from napari_d24fad.network.teachers.transformer import VisionTransformer
from tests.network.teachers.conftest import as_meta, lively

transformers = pytest.importorskip("transformers", reason="an independent DINOv2 is compared with")

ATOL = 1e-4
KINDS = ("dinov2_vits14", "dinov2_vits14_reg4")


def theirs(name: str, side: int) -> torch.nn.Module:
    """transformers' network of the same shape, trained on images of a side, with lively weights."""
    arch = teacher_spec(name).architecture
    assert isinstance(arch, Transformer)
    options = {
        "hidden_size": arch.width,
        "num_hidden_layers": arch.depth,
        "num_attention_heads": arch.heads,
        "image_size": side,
        "patch_size": arch.patch,
    }
    if arch.registers:
        config = transformers.Dinov2WithRegistersConfig(num_register_tokens=arch.registers, **options)
        return lively(transformers.Dinov2WithRegistersModel(config))
    return lively(transformers.Dinov2Model(transformers.Dinov2Config(**options)))


def published(model: torch.nn.Module, folder: Path) -> dict[str, Tensor]:
    """What is written for others to download: the names in the file, not those in memory."""
    model.save_pretrained(folder)
    return load_file(folder / "model.safetensors")


def ours(name: str, weights: dict[str, Tensor]) -> VisionTransformer:
    teacher = build_teacher(name)
    assert isinstance(teacher, VisionTransformer)
    teacher.load_state_dict(own_names(weights, teacher.arch), strict=True)
    return teacher


def images(side: int, count: int = 2) -> Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(1))


def expected_maps(model: torch.nn.Module, pixels: Tensor, registers: int) -> list[Tensor]:
    """Every block's patch tokens after the last normalisation, ``(N, C, rows, columns)``."""
    hidden = model(pixel_values=pixels, output_hidden_states=True).hidden_states[1:]
    side = pixels.shape[2] // 14
    return [
        model.layernorm(each)[:, 1 + registers :].transpose(1, 2).unflatten(2, (side, side))
        for each in hidden
    ]


@pytest.mark.parametrize("naming", ["meta", "hugging face", "transformers 5"])
@pytest.mark.parametrize("name", KINDS)
@torch.inference_mode()
def test_every_map_is_theirs(name: str, naming: str, tmp_path: Path) -> None:
    model = theirs(name, 70)
    weights = published(model, tmp_path)
    assert any("attention.attention.query" in key for key in weights)
    if naming == "meta":
        weights = as_meta(weights)
    elif naming == "transformers 5":
        weights = dict(model.state_dict())
        assert any("attention.q_proj" in key for key in weights)
    teacher = ours(name, weights)
    expected = expected_maps(model, images(70), teacher.arch.registers)
    found = teacher.maps(images(70), (1, 2, 3, 4))
    for one, other in zip(found, expected, strict=True):
        assert float(other.abs().mean()) > 0.1
        torch.testing.assert_close(one, other, atol=ATOL, rtol=0)
    seen = teacher(images(70))
    assert all(torch.equal(one, other) for one, other in zip(seen.scales, found[:3], strict=True))
    assert torch.equal(seen.embedding, found[3])


@torch.inference_mode()
def test_another_side_with_registers_is_theirs(tmp_path: Path) -> None:
    model = theirs("dinov2_vits14_reg4", 70)
    teacher = ours("dinov2_vits14_reg4", published(model, tmp_path))
    for side in (42, 56, 98):
        expected = expected_maps(model, images(side), 4)[-1]
        torch.testing.assert_close(teacher(images(side)).embedding, expected, atol=ATOL, rtol=0)


@torch.inference_mode()
def test_another_side_without_registers_is_theirs_given_metas_positions(tmp_path: Path) -> None:
    """transformers leaves Meta's offset of 0.1 out; with the embeddings of places given, all else agrees."""
    model = theirs("dinov2_vits14", 70)
    weights = published(model, tmp_path)
    teacher = ours("dinov2_vits14", weights)
    as_they_resize = expected_maps(model, images(84), 0)[-1]
    known = weights["embeddings.position_embeddings"]
    places = bicubic(known[0, 1:].reshape(5, 5, -1).numpy(), 6, scale=6.1 / 5)
    placed = torch.from_numpy(places).float().reshape(1, 36, -1)
    other = theirs("dinov2_vits14", 84)
    other.load_state_dict(
        model.state_dict() | {"embeddings.position_embeddings": torch.cat([known[:, :1], placed], dim=1)}
    )
    found = teacher(images(84)).embedding
    torch.testing.assert_close(found, expected_maps(other, images(84), 0)[-1], atol=ATOL, rtol=0)
    assert float((found - as_they_resize).abs().max()) > 100 * ATOL


def bicubic(planes: np.ndarray, size: int, scale: float) -> np.ndarray:
    """Bicubic resampling of ``(M, M, C)`` written out: Keys' kernel with a = -0.75, edges repeated.

    The centre of place i lies at ``(i + 0.5) / scale - 0.5`` of the given places.
    """

    def kernel(distance: float) -> float:
        a, x = -0.75, abs(distance)
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    last = len(planes) - 1
    rows = np.zeros((size, len(planes)))
    for at in range(size):
        centre = (at + 0.5) / scale - 0.5
        for place in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
            rows[at, min(max(place, 0), last)] += kernel(centre - place)
    return np.einsum("ri,cj,ijk->rck", rows, rows, planes)


@pytest.mark.parametrize("size", [3, 6, 8])
def test_positions_without_registers_keep_the_offset(size: int) -> None:
    planes = np.random.default_rng(0).standard_normal((5, 5, 4))
    known = torch.from_numpy(planes).float().reshape(1, 25, 4)
    found = resized(known, (size, size), registers=False).reshape(size, size, 4).numpy()
    np.testing.assert_allclose(found, bicubic(planes, size, (size + 0.1) / 5), atol=1e-5)
    assert np.abs(found - bicubic(planes, size, size / 5)).max() > 1e-3


def test_positions_with_registers_are_smoothed_where_the_grid_shrinks() -> None:
    planes = np.random.default_rng(0).standard_normal((5, 5, 4))
    known = torch.from_numpy(planes).float().reshape(1, 25, 4)
    larger = resized(known, (8, 8), registers=True).reshape(8, 8, 4).numpy()
    # Its kernel has a = -0.5 (as Pillow's), and edges are left out, not repeated.
    np.testing.assert_allclose(larger, antialiased(planes, 8), atol=1e-5)
    smaller = resized(known, (3, 3), registers=True).reshape(3, 3, 4).numpy()
    np.testing.assert_allclose(smaller, antialiased(planes, 3), atol=1e-5)


def antialiased(planes: np.ndarray, size: int) -> np.ndarray:
    """The same with the kernel widened by the factor of shrinking, weights summing to 1 inside."""

    def kernel(distance: float) -> float:
        a, x = -0.5, abs(distance)
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    factor = len(planes) / size
    width = max(1.0, factor)
    rows = np.zeros((size, len(planes)))
    for at in range(size):
        for place in range(len(planes)):
            rows[at, place] = kernel(((at + 0.5) * factor - 0.5 - place) / width)
    rows /= rows.sum(axis=1, keepdims=True)
    return np.einsum("ri,cj,ijk->rck", rows, rows, planes)


def test_the_trained_grid_is_not_touched() -> None:
    known = torch.randn(1, 25, 4)
    for registers in (False, True):
        assert resized(known, (5, 5), registers=registers) is known


@pytest.mark.parametrize("side", [83, 85, 100])
def test_sides_are_multiples_of_a_patch(side: int) -> None:
    with pytest.raises(ArgumentError, match="multiples of 14") as caught:
        build_teacher("dinov2_vits14")(torch.zeros(1, 3, side, side))
    assert caught.value.code is Code.BAD_ARGUMENT


@torch.inference_mode()
def test_class_token_and_registers_are_dropped(tmp_path: Path) -> None:
    """A map has one place for each patch, and each place follows its patch."""
    teacher = ours("dinov2_vits14_reg4", published(theirs("dinov2_vits14_reg4", 70), tmp_path))
    pixels = images(70, count=1)
    changed = pixels.clone()
    changed[:, :, 14:28, 42:56] += 1  # row 1, column 3
    before, after = (teacher.maps(each, (1,))[0] for each in (pixels, changed))
    assert before.shape == (1, 64, 5, 5)
    moved = (before - after).square().sum(dim=1)[0]
    assert divmod(int(moved.argmax()), 5) == (1, 3)


@pytest.mark.parametrize("name", ["dinov2_vits14", "dinov2_vits14_reg4"])
@torch.inference_mode()
def test_the_published_shape_is_theirs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ViT-S/14 as published: names and shapes of all weights, and its parameters by number."""
    registers = 4 * name.endswith("reg4")
    monkeypatch.setitem(TEACHERS, name, TeacherSpec(Transformer(384, 6, registers=registers)))
    with torch.device("meta"):
        model = theirs_empty(registers)
        own = build_teacher(name)
    legacy = {
        key.replace("attention.q_proj", "attention.attention.query")
        .replace("attention.k_proj", "attention.attention.key")
        .replace("attention.v_proj", "attention.attention.value")
        .replace("attention.o_proj", "attention.output.dense"): value
        for key, value in model.state_dict().items()
    }
    expected = {key: tuple(value.shape) for key, value in as_meta(legacy).items() if key != "mask_token"}
    assert {key: tuple(value.shape) for key, value in own.state_dict().items()} == expected
    # Meta publishes 88,283,115 bytes for ViT-S/14: these numbers, the mask token, and 0.1 MB of names.
    parameters = sum(value.numel() for value in own.parameters()) + 384
    assert 88_283_115 - 4 * parameters in range(0, 100_000) or registers


def theirs_empty(registers: int) -> torch.nn.Module:
    options = {
        "hidden_size": 384,
        "num_hidden_layers": 12,
        "num_attention_heads": 6,
        "image_size": 518,
        "patch_size": 14,
    }
    if registers:
        config = transformers.Dinov2WithRegistersConfig(num_register_tokens=registers, **options)
        return transformers.Dinov2WithRegistersModel(config)
    return transformers.Dinov2Model(transformers.Dinov2Config(**options))


def test_what_a_teacher_says_of_itself() -> None:
    for name in ("compact", "radimagenet_resnet50", "dinov2_vits14", "rad_dino"):
        teacher = build_teacher(name)
        assert isinstance(teacher, Teacher)
        assert teacher.name == name
    rad_dino = build_teacher("rad_dino")
    assert (rad_dino.mean, rad_dino.deviation) == ((0.5307,) * 3, (0.2583,) * 3)
    assert (rad_dino.strides, rad_dino.multiple) == ((14, 14, 14), 14)
    compact = build_teacher("compact")
    assert (compact.strides, compact.multiple) == ((4, 8, 16), 32)


@torch.inference_mode()
def test_half_precision_stays_near(tmp_path: Path) -> None:
    teacher = ours("dinov2_vits14", published(theirs("dinov2_vits14", 70), tmp_path))
    exact = teacher(images(84)).scales[2]
    rounded = teacher.to(torch.bfloat16)(images(84).bfloat16()).scales[2]
    assert rounded.dtype == torch.bfloat16
    likeness = torch.nn.functional.cosine_similarity(exact, rounded.float())
    assert float(likeness.min()) > 0.99


def test_safetensors_of_half_the_bits(tmp_path: Path) -> None:
    """Names are all that a file must have; see the import for the rest."""
    weights = as_meta(published(theirs("rad_dino", 70), tmp_path))
    save_file({name: tensor.half() for name, tensor in weights.items()}, tmp_path / "half.safetensors")
    halves = {name: tensor.float() for name, tensor in load_file(tmp_path / "half.safetensors").items()}
    assert ours("rad_dino", halves).cls_token.dtype == torch.float32
