import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_d24fad.errors import ArgumentError, Cancelled, Code, D24fadError, ModelError, TrainingError
from napari_d24fad.network.checkpoint import load_model
from napari_d24fad.progress import CancelToken
from napari_d24fad.training.about import About
from napari_d24fad.training.options import TrainingOptions
from napari_d24fad.training.recipe import Recipe
from napari_d24fad.training.train import train_model

QUICK = TrainingOptions(steps=3, groups=1, queries=2, shots=2, side=64)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two tasks of twelve grey images."""
    r = np.random.default_rng(0)
    for task in ("hand", "knee"):
        folder = tmp_path / "data" / task / "normal"
        folder.mkdir(parents=True)
        for number in range(12):
            pixels = np.kron(r.integers(30, 255, (8, 8)), np.ones((8, 8))).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "data"


def test_a_trained_model_loads_with_its_card(tmp_path: Path, data: Path) -> None:
    out = tmp_path / "made" / "mine.safetensors"
    about = About(
        "A title", "BSD-3-Clause", "Tests.", {"hand": "public domain"}, ("Brightness.",), ("Small lesions.",)
    )
    training = replace(QUICK, seed=5)
    recipe = Recipe(
        data, procedural=2, validate=("knee",), training=training, about=about, command="d24fad train"
    )
    card = train_model(recipe, out, device="cpu")
    loaded = load_model(out)
    assert loaded.card == card
    assert (card.name, card.title, card.input_size, card.seeds) == (
        "mine",
        "A title",
        128,
        (5,),
    )  # parts of 64 pixels
    assert (card.licence, card.intended_use) == ("BSD-3-Clause", "Tests.")
    assert (card.confounds, card.failures) == (("Brightness.",), ("Small lesions.",))
    assert [(source.name, source.terms, source.use) for source in card.data] == [
        ("hand: normal images (12)", "public domain", "training"),
        ("2 procedural tasks", "made by this program", "training"),
        ("knee: normal images (12)", "not stated", "selection of weights"),
    ]
    assert "Weights after step 3, of 1 compared" in card.selection
    assert "knee" in card.selection
    beside = ["mine.json", "mine.log.jsonl", "mine.loss.png", "mine.safetensors"]
    assert sorted(path.name for path in out.parent.iterdir()) == beside
    lines = [json.loads(line) for line in (out.parent / "mine.log.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["begin", "step", "step", "step", "review", "end"]
    assert lines[0]["commands"] == ["d24fad train"]


def test_the_seed_makes_a_training_repeatable(tmp_path: Path) -> None:
    recipe = Recipe(None, procedural=1, select=False, training=QUICK)
    cards = [train_model(recipe, tmp_path / f"{name}.safetensors", device="cpu") for name in ("a", "b")]
    assert cards[0].sha256 == cards[1].sha256
    assert cards[0].selection.startswith("None")
    other = replace(recipe, training=replace(QUICK, seed=1))
    assert train_model(other, tmp_path / "c.safetensors", device="cpu").sha256 != cards[0].sha256


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
    assert not list(tmp_path.glob("mine*"))


@pytest.mark.parametrize(
    "wrong",
    [
        Recipe(None, teacher="vgg"),
        Recipe(None, teacher="resnet18", distil_from=Path("weights.npz")),
        Recipe(None, training=TrainingOptions(ssd=False, tsd_weight=0)),
        Recipe(None, validate=("hand",)),
        Recipe(Path("data"), validate=("hand",), select=False),
    ],
)
def test_options_that_contradict_each_other_are_refused(tmp_path: Path, wrong: Recipe) -> None:
    with pytest.raises(ArgumentError):
        train_model(wrong, tmp_path / "mine.safetensors", device="cpu")


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


def test_copies_do_not_count_in_a_task_to_validate_on(tmp_path: Path, data: Path) -> None:
    for number in range(3):
        shutil.copy(data / "knee" / "normal" / "11.png", data / "knee" / "normal" / f"{number}.png")
    with pytest.raises(TrainingError) as refusal:
        train_model(Recipe(data, validate=("knee",), training=QUICK), tmp_path / "mine.safetensors")
    assert refusal.value.code is Code.DATA_UNUSABLE
    assert refusal.value.detail.startswith("Task knee has 9 different normal images; 10 are needed")


def test_a_task_to_validate_on_must_exist_and_not_be_held_out(tmp_path: Path, data: Path) -> None:
    for recipe in (
        Recipe(data, validate=("foot",), training=QUICK),
        Recipe(data, hold_out=("hand",), validate=("hand",), training=QUICK),
    ):
        with pytest.raises(D24fadError) as refusal:
            train_model(recipe, tmp_path / "mine.safetensors", device="cpu")
        assert refusal.value.code is Code.DATA_UNUSABLE
