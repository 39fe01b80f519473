"""Published weights of teachers: whose they are, under what licence, and what is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from napari_d24fad.errors import ArgumentError, Code, ExportError, ModelError
from napari_d24fad.network.checkpoint import load_model
from napari_d24fad.network.install import import_file, verify
from napari_d24fad.network.teacher_weights import (
    download_weights,
    import_weights,
    load_weights,
    recognise,
    weights_file,
    weights_installed,
)
from napari_d24fad.network.teachers.build import build_teacher
from napari_d24fad.network.teachers.catalogue import CATALOGUE, PublishedWeights, published_for
from napari_d24fad.network.zoo import find_model, installed_models, list_models
from tests.network.teachers.conftest import lively
from tests.network.weights_server import WeightsServer


def weights_of(teacher: str) -> dict[str, Tensor]:
    """As Meta's files have them, the mask token too; as RadImageNet's for that."""
    state = {name: tensor.clone() for name, tensor in lively(build_teacher(teacher)).state_dict().items()}
    if teacher != "radimagenet_resnet50":
        return state | {"mask_token": torch.zeros(1, state["cls_token"].shape[2])}
    numbers = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}
    return {f"backbone.{numbers[name.split('.')[0]]}.{name.split('.', 1)[1]}": t for name, t in state.items()}


def written(weights: dict[str, Tensor], path: Path) -> Path:
    if path.suffix == ".safetensors":
        save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path)
    else:
        torch.save(weights, path)
    return path


def catalogue_with(teacher: str, file: Path) -> tuple[PublishedWeights, ...]:
    """The real one, but for the checksum of one file."""
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return tuple(replace(entry, sha256=sha256) if entry.teacher == teacher else entry for entry in CATALOGUE)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return written(weights_of("dinov2_vits14"), tmp_path / "dinov2_vits14_pretrain.pth")


@pytest.fixture
def mirror(server: WeightsServer, published: Path, monkeypatch: pytest.MonkeyPatch) -> WeightsServer:
    server.content = published.read_bytes()
    monkeypatch.setenv("D24FAD_WEIGHTS_URL", server.url + "/mirror")
    return server


def refusal(code: Code, words: str = "") -> pytest.RaisesExc[ModelError]:
    return pytest.RaisesExc(ModelError, match=words or None, check=lambda error: error.code is code)


def nothing_is_kept(kept: Path) -> bool:
    return not [file for file in kept.rglob("*") if file.is_file()]


def test_the_catalogue_is_what_was_published() -> None:
    """Checksums as Meta states them; the rest is imported, for no checksum of it is known here."""
    known = {entry.teacher: entry for entry in CATALOGUE}
    assert known["dinov2_vits14"].sha256.startswith("b938bf1bc15cd2ec")
    assert known["dinov2_vitb14_reg4"].sha256.startswith("73182a088cf94833")
    addresses = [f"{entry.folder}/{entry.file}" for entry in CATALOGUE if entry.licence == "Apache-2.0"]
    meta = "https://dl.fbaipublicfiles.com/dinov2"
    assert addresses == [
        f"{meta}/dinov2_vits14/dinov2_vits14_pretrain.pth",
        f"{meta}/dinov2_vits14/dinov2_vits14_reg4_pretrain.pth",
        f"{meta}/dinov2_vitb14/dinov2_vitb14_pretrain.pth",
        f"{meta}/dinov2_vitb14/dinov2_vitb14_reg4_pretrain.pth",
    ]
    assert all(len(entry.sha256) == 64 for entry in CATALOGUE if entry.asks and entry.file)
    imported = [(entry.teacher, entry.licence) for entry in CATALOGUE if not entry.file]
    assert imported == [("rad_dino", "MIT"), ("radimagenet_resnet50", "CC BY 4.0")]


def test_download_under_an_accepted_licence(mirror: WeightsServer, published: Path, kept: Path) -> None:
    catalogue = catalogue_with("dinov2_vits14", published)
    with refusal(Code.LICENCE_NOT_ACCEPTED, "Apache-2.0, https://"):
        download_weights("dinov2_vits14", catalogue=catalogue)
    assert (mirror.requests, nothing_is_kept(kept)) == ([], True)
    download_weights("dinov2_vits14", accepted=True, catalogue=catalogue)
    assert mirror.requests == [("/mirror/dinov2_vits14_pretrain.pth", None, None)]
    assert sorted(file.name for file in (kept / "teachers").iterdir()) == [
        "dinov2_vits14.json",
        "dinov2_vits14.safetensors",
    ]
    assert json.loads((kept / "teachers" / "dinov2_vits14.json").read_text())["licence"] == "Apache-2.0"
    expected = lively(build_teacher("dinov2_vits14")).state_dict()
    loaded = load_weights("dinov2_vits14")
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in expected.items())
    download_weights("dinov2_vits14", catalogue=catalogue)  # is here: nothing to accept any more
    assert len(mirror.requests) == 1


@pytest.mark.parametrize("teacher", ["rad_dino", "radimagenet_resnet50"])
def test_what_is_not_downloaded_says_where_to_fetch_it(teacher: str) -> None:
    published = published_for(teacher)
    assert published is not None
    with pytest.raises(ArgumentError, match=published.source) as caught:
        download_weights(teacher, accepted=True)
    assert caught.value.code is Code.BAD_ARGUMENT


@pytest.mark.parametrize(
    ("teacher", "file"),
    [
        ("rad_dino", "model.safetensors"),
        ("rad_dino", "backbone_compatible.pth"),
        ("radimagenet_resnet50", "ResNet50.pt"),
        ("dinov2_vits14", "model.safetensors"),
    ],
)
def test_import_of_a_file_whose_checksum_is_not_known(teacher: str, file: str, tmp_path: Path) -> None:
    path = written(weights_of(teacher), tmp_path / file)
    assert recognise(path) is None
    if path.suffix != ".safetensors":
        with refusal(Code.CHECKSUM_MISMATCH, "--teacher"):
            import_file(path, accepted=True)
    with refusal(Code.LICENCE_NOT_ACCEPTED):
        import_file(path, teacher)
    assert not weights_installed(teacher)
    assert import_file(path, teacher, accepted=True) == teacher
    found = load_weights(teacher)
    counted = {
        name for name in build_teacher(teacher).state_dict() if not name.endswith("num_batches_tracked")
    }
    assert found.keys() == counted


def test_import_of_a_known_file_under_any_name(published: Path, tmp_path: Path) -> None:
    renamed = published.rename(tmp_path / "from a memory stick")
    catalogue = catalogue_with("dinov2_vits14", renamed)
    with refusal(Code.LICENCE_NOT_ACCEPTED):
        import_weights(renamed, catalogue=catalogue)
    assert import_weights(renamed, accepted=True, catalogue=catalogue) == "dinov2_vits14"


def test_weights_of_another_network(tmp_path: Path, kept: Path) -> None:
    path = written(weights_of("dinov2_vits14_reg4"), tmp_path / "model.safetensors")
    with refusal(Code.TEACHER_MISMATCH, "dinov2_vits14_reg4, not of rad_dino"):
        import_weights(path, "rad_dino", accepted=True)
    assert nothing_is_kept(kept)


def test_a_known_file_named_for_another_teacher(published: Path, kept: Path) -> None:
    """The checksum tells, also where names and shapes would fit."""
    with refusal(Code.TEACHER_MISMATCH, "that of dinov2_vits14"):
        import_weights(
            published, "rad_dino", accepted=True, catalogue=catalogue_with("dinov2_vits14", published)
        )
    assert nothing_is_kept(kept)


def test_a_residual_network_with_biases_is_none_of_ours(tmp_path: Path) -> None:
    """As other conversions of RadImageNet have them, whose strides lie elsewhere."""
    weights = weights_of("radimagenet_resnet50")
    weights["backbone.0.bias"] = torch.zeros(8)
    with refusal(Code.MODEL_MISMATCH, "0 of .* 1 are unknown"):
        import_weights(written(weights, tmp_path / "ResNet50.pt"), "radimagenet_resnet50", accepted=True)


def test_renamed_weights(tmp_path: Path, kept: Path) -> None:
    weights = {name.replace("blocks.", "layers."): t for name, t in weights_of("rad_dino").items()}
    path = written(weights, tmp_path / "model.safetensors")
    with refusal(Code.MODEL_MISMATCH, "are missing or of another shape") as caught:
        import_weights(path, "rad_dino", accepted=True)
    assert "layers" not in str(caught.value)  # names in a file are not ours to repeat
    assert nothing_is_kept(kept)


@pytest.mark.parametrize("name", ["model.safetensors", "model.pth"])
def test_truncated_weights_of_unknown_checksum(name: str, tmp_path: Path, kept: Path) -> None:
    path = written(weights_of("rad_dino"), tmp_path / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with refusal(Code.MODEL_CORRUPT):
        import_weights(path, "rad_dino", accepted=True)
    assert nothing_is_kept(kept)


def test_truncated_weights_of_known_checksum(published: Path, kept: Path) -> None:
    catalogue = catalogue_with("dinov2_vits14", published)
    published.write_bytes(published.read_bytes()[:-100])
    with refusal(Code.CHECKSUM_MISMATCH, "dinov2_vits14_pretrain.pth"):
        import_weights(published, "dinov2_vits14", accepted=True, catalogue=catalogue)
    assert nothing_is_kept(kept)


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    weights = weights_of("rad_dino")
    weights["cls_token"] = torch.full_like(weights["cls_token"], torch.nan)
    with refusal(Code.MODEL_CORRUPT):
        import_weights(written(weights, tmp_path / "model.pth"), "rad_dino", accepted=True)


def test_code_in_a_file_is_not_run(malicious: Path) -> None:
    with refusal(Code.MODEL_CORRUPT):
        import_weights(malicious, "rad_dino", accepted=True)


def test_an_unknown_teacher(published: Path) -> None:
    with pytest.raises(ArgumentError, match="rad_dino"):
        import_weights(published, "dinov3_vits16", accepted=True)


def test_a_teacher_is_a_model_once_its_weights_are_here(tmp_path: Path, embedded: Path) -> None:
    with refusal(Code.WEIGHTS_MISSING, "rad_dino"):
        load_model("rad_dino")
    assert list_models() == ()
    path = written(weights_of("rad_dino"), tmp_path / "model.safetensors")
    import_weights(path, "rad_dino", accepted=True)
    (card,) = list_models()
    assert (card.name, card.teacher, card.licence, card.scoring) == ("rad_dino", "rad_dino", "MIT", "matched")
    assert "not measured here; d24fad evaluate DATA --model rad_dino" in card.notes
    assert [model.is_teacher for model in installed_models()] == [True]
    assert verify("rad_dino") == card == find_model("rad_dino").card
    model = load_model("rad_dino")
    assert not model.network.has_student
    assert (
        model.sha256
        == model.teacher_sha256
        == hashlib.sha256(weights_file("rad_dino").read_bytes()).hexdigest()
    )
    for tensor, expected in zip(
        model.network.teacher.state_dict().values(),
        lively(build_teacher("rad_dino")).state_dict().values(),
        strict=True,
    ):
        assert torch.equal(tensor, expected)


def test_damage_of_what_is_installed_is_noticed(tmp_path: Path) -> None:
    path = written(weights_of("rad_dino"), tmp_path / "model.safetensors")
    import_weights(path, "rad_dino", accepted=True)
    kept = weights_file("rad_dino")
    kept.write_bytes(kept.read_bytes()[:-1] + b"\x01")
    for attempt in (load_model, verify):
        with refusal(Code.CHECKSUM_MISMATCH):
            attempt("rad_dino")


def test_a_folder_that_takes_no_files(tmp_path: Path, kept: Path) -> None:
    path = written(weights_of("rad_dino"), tmp_path / "model.safetensors")
    kept.write_text("a file")
    with pytest.raises(ExportError) as caught:
        import_weights(path, "rad_dino", accepted=True)
    assert caught.value.code is Code.CANNOT_WRITE
