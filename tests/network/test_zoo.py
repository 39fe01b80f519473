import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.zoo import find_model, installed_models, list_models


@pytest.fixture
def models(card, embedded, kept):
    """One embedded model, one of the user's own; no weights, which a list does not read."""
    for folder, name in ((embedded, "compact"), (kept / "models", "mine")):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.safetensors").write_bytes(b"")
        (folder / f"{name}.json").write_text(dataclasses.replace(card, name=name).to_json(), "utf-8")


def test_embedded_models_come_first(models):
    assert [card.name for card in list_models()] == ["compact", "mine"]
    assert [(model.name, model.embedded, model.problem) for model in installed_models()] == [
        ("compact", True, None),
        ("mine", False, None),
    ]


def test_nothing_installed(embedded):
    assert list_models() == ()


def test_found_by_name_and_by_either_file(models, kept, embedded):
    assert find_model("compact").weights == embedded / "compact.safetensors"
    for given in ("mine", str(kept / "models" / "mine.safetensors"), kept / "models" / "mine.json"):
        found = find_model(given)
        assert (found.card.name, found.weights) == ("mine", kept / "models" / "mine.safetensors")


def test_damaged_models_are_listed_with_their_problem(models, kept):
    folder = kept / "models"
    (folder / "broken.json").write_text("{")
    (folder / "broken.safetensors").write_bytes(b"")
    (folder / "cardless.safetensors").write_bytes(b"")
    (folder / "weightless.json").write_text((folder / "mine.json").read_text("utf-8"), "utf-8")
    for suffix in (".json", ".safetensors"):
        shutil.copy(folder / f"mine{suffix}", folder / f"renamed{suffix}")
    (folder / ".hidden.safetensors.tmp").write_bytes(b"")
    (folder / "notes.txt").write_text("not a model")
    (folder / "folder.safetensors").mkdir()

    problems = {model.name: model.problem for model in installed_models()}
    assert problems.pop("compact") is None
    assert problems.pop("mine") is None
    assert problems.keys() == {"broken", "cardless", "weightless", "renamed", "folder"}
    assert all(problem.code is Code.MODEL_CORRUPT for problem in problems.values())
    assert [card.name for card in list_models()] == ["compact", "mine"]
    for name in problems:
        with pytest.raises(ModelError) as caught:
            find_model(name)
        assert caught.value.code is Code.MODEL_CORRUPT
        assert str(kept) not in str(caught.value)


def test_an_embedded_name_cannot_be_taken(models, kept, embedded):
    for suffix in (".json", ".safetensors"):
        shutil.copy(kept / "models" / f"mine{suffix}", kept / "models" / f"COMPACT{suffix}")
    assert [model.name for model in installed_models()] == ["compact", "mine"]


@pytest.mark.parametrize("name", ["", "unknown", "no/such/file.safetensors", "missing.json", "\0/x.json"])
def test_unknown_models(models, name):
    with pytest.raises(ModelError) as caught:
        find_model(name)
    assert caught.value.code is Code.MODEL_UNKNOWN


def test_a_card_without_weights(models, kept):
    (kept / "models" / "mine.safetensors").unlink()
    with pytest.raises(ModelError, match="weights beside the card") as caught:
        find_model(kept / "models" / "mine.json")
    assert caught.value.code is Code.MODEL_CORRUPT


def test_a_pth_file_is_sent_to_convert(tmp_path):
    (tmp_path / "model.pth").write_bytes(b"")
    with pytest.raises(ModelError, match="d24fad models convert"):
        find_model(tmp_path / "model.pth")


def test_a_model_folder_that_is_a_file(embedded, kept):
    kept.mkdir()
    (kept / "models").write_text("")
    assert list_models() == ()


def test_listing_does_not_import_torch():
    code = (
        "import sys; from napari_d24fad.network import zoo, teacher_weights; zoo.list_models();"
        "teacher_weights.weights_installed('resnet18'); sys.exit('torch' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_a_model_is_its_card_and_hides_where_it_is(models, card, kept):
    (mine,) = [model for model in installed_models() if not model.embedded]
    assert dataclasses.replace(mine.card, name="tiny", sha256=card.sha256) == card
    assert str(kept) not in repr(find_model("mine"))
