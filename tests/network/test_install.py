import dataclasses
import hashlib

import pytest
import torch

from napari_d24fad.errors import ArgumentError, Code, ExportError, ModelError
from napari_d24fad.network.checkpoint import load_model, save_model
from napari_d24fad.network.install import import_file, import_model, verify
from napari_d24fad.network.teacher_weights import weights_installed
from napari_d24fad.network.teachers.catalogue import PublishedWeights
from napari_d24fad.network.zoo import list_models


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_an_imported_model_is_found_by_name(tiny, embedded, suffix):
    card = import_model(tiny.with_suffix(suffix))
    listed = list_models()
    assert listed == (card,)
    assert verify("tiny") == card
    assert load_model("tiny").sha256 == card.sha256


def test_a_second_import_replaces_the_first(tiny, card, compact, tmp_path):
    import_model(tiny)
    save_model(compact, dataclasses.replace(card, title="Newer"), tmp_path / "new" / "tiny.safetensors")
    import_model(tmp_path / "new" / "tiny.safetensors")
    assert verify("tiny").title == "Newer"


def damage(tiny):
    tiny.write_bytes(tiny.read_bytes()[:-1] + b"\x7f")
    return Code.CHECKSUM_MISMATCH


def separate(tiny):
    tiny.with_suffix(".json").unlink()
    return Code.MODEL_CORRUPT


def take_away(tiny):
    tiny.unlink()
    return Code.MODEL_UNKNOWN


@pytest.mark.parametrize("spoil", [damage, separate, take_away])
def test_a_bad_model_is_not_imported(tiny, kept, spoil):
    code = spoil(tiny)
    for attempt in (import_model, verify):
        with pytest.raises(ModelError) as caught:
            attempt(tiny)
        assert caught.value.code is code
    assert [file for file in kept.rglob("*") if file.is_file()] == []


def test_a_bad_import_leaves_the_good_model(tiny, kept):
    card = import_model(tiny)
    damage(tiny)
    with pytest.raises(ModelError):
        import_model(tiny)
    assert verify("tiny") == card
    assert sorted(file.name for file in (kept / "models").iterdir()) == ["tiny.json", "tiny.safetensors"]


def test_an_embedded_name_is_refused(compact, card, embedded, tiny):
    save_model(compact, card, embedded / "TINY.safetensors")
    with pytest.raises(ArgumentError) as caught:
        import_model(tiny)
    assert caught.value.code is Code.BAD_ARGUMENT


def test_a_models_folder_that_takes_no_files(tiny, kept):
    kept.write_text("a file")
    with pytest.raises(ExportError) as caught:
        import_model(tiny)
    assert caught.value.code is Code.CANNOT_WRITE


def test_any_kind_of_file(tiny, tmp_path):
    torch.save({"conv1.weight": torch.ones(1)}, tmp_path / "weights.pth")
    sha256 = hashlib.sha256((tmp_path / "weights.pth").read_bytes()).hexdigest()
    catalogue = (PublishedWeights("resnet18", "weights.pth", sha256),)
    assert import_file(tiny) == "tiny"
    assert import_file(tmp_path / "weights.pth", catalogue=catalogue) == "resnet18"
    assert weights_installed("resnet18")


def test_no_file(tmp_path):
    with pytest.raises(ModelError) as caught:
        import_file(tmp_path / "missing.pth")
    assert caught.value.code is Code.MODEL_UNKNOWN
