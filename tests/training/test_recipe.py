from pathlib import Path

import pytest

from napari_d24fad.errors import ArgumentError, Cancelled, Code, D24fadError, ModelError
from napari_d24fad.network.checkpoint import load_model
from napari_d24fad.progress import CancelToken
from napari_d24fad.training.recipe import Recipe, train_model
from napari_d24fad.training.student import TrainingOptions

QUICK = TrainingOptions(steps=3, groups=1, queries=2, shots=2, side=64)


def test_a_trained_model_loads_with_its_card(tmp_path: Path) -> None:
    out = tmp_path / "mine.safetensors"
    recipe = Recipe(None, procedural=2, training=QUICK, command="d24fad train --out mine.safetensors")
    card = train_model(recipe, out, device="cpu")
    loaded = load_model(out)
    assert loaded.card == card
    assert loaded.card.name == "mine"
    assert loaded.card.input_size == 64
    assert [source.name for source in card.data] == ["2 procedural tasks"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.json", "mine.safetensors"]


def test_nothing_is_written_when_it_cannot_be_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "mine.safetensors"
    monkeypatch.setenv("D24FAD_CACHE", str(tmp_path / "cache"))
    token = CancelToken()
    with pytest.raises(Cancelled):
        train_model(
            Recipe(None, procedural=1, training=QUICK),
            out,
            device="cpu",
            progress=lambda fraction, step: token.cancel(),
            cancel=token,
        )
    with pytest.raises(ModelError) as refusal:
        train_model(Recipe(None, teacher="resnet18", procedural=1, training=QUICK), out, device="cpu")
    assert refusal.value.code is Code.WEIGHTS_MISSING
    for wrong in (Recipe(None, teacher="vgg"), Recipe(None, teacher="resnet18", distil_from=tmp_path)):
        with pytest.raises(ArgumentError):
            train_model(wrong, out, device="cpu")
    assert not list(tmp_path.glob("mine*"))


def test_what_cannot_be_trained_or_written_is_refused_before_the_training(tmp_path: Path) -> None:
    steps: list[str] = []

    def refused(recipe: Recipe, name: str) -> Code:
        with pytest.raises(D24fadError) as refusal:
            train_model(recipe, tmp_path / name, device="cpu", progress=lambda _, step: steps.append(step))
        return refusal.value.code

    assert refused(Recipe(None, procedural=1, training=QUICK), "my model.safetensors") is Code.BAD_ARGUMENT
    assert refused(Recipe(None, procedural=0, training=QUICK), "mine.safetensors") is Code.DATA_LAYOUT
    many = Recipe(None, procedural=1, training=TrainingOptions(queries=20, shots=20, side=64))
    assert refused(many, "mine.safetensors") is Code.DATA_LAYOUT
    assert not steps
