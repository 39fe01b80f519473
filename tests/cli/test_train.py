"""``d24fad train`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_d24fad import cli
from napari_d24fad.cli.parser import read_arguments
from napari_d24fad.cli.train import recipe_of
from napari_d24fad.training.options import TrainingOptions
from napari_d24fad.training.recipe import Recipe


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder but for data/hand and data/knee, twenty images each."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for task in ("hand", "knee"):
        (tmp_path / "data" / task / "normal").mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, 256, (40, 40), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / task / "normal" / f"{number:02}.png")
    return tmp_path


def recipe(*words: str) -> Recipe:
    return recipe_of(read_arguments(["train", "data", "--out", "new.safetensors", *words]))


def test_train_writes_a_model_with_its_command_on_the_card(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "data" / "hand" / "normal" / "03.png").write_bytes(b"")
    words = ["train", "data", "--out", "new.safetensors", "--steps", "1", "--procedural", "0", "--seed", "3"]
    words += ["--published", "--no-selection", "--shots", "2", "--device", "cpu"]
    assert cli.main(words) == 7
    told = capsys.readouterr()
    assert "number 4 in normal is unusable: S04" in told.err
    assert "--leave-out" in told.err
    assert not any(here.glob("new.*"))
    assert cli.main([*words, "--leave-out"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("new: ")
    assert told.err == "d24fad: warning: Task hand: number 4 in normal is unusable: S04, " + (
        "It is not a PNG, JPEG or TIFF image.\n"
    )
    card = json.loads((here / "new.json").read_text(encoding="utf-8"))
    assert card["recipe"] == [
        "d24fad train DATA --out FILE --steps 1 --shots 2 --procedural 0 --leave-out --no-selection "
        "--published --seed 3"
    ]
    assert cli.main(["models", "verify", "./new.safetensors"]) == 0
    assert not (here / "new.checkpoint").exists()


def test_bad_data_is_one_line_before_anything_is_written(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "data" / "foot").mkdir()
    for file in list((here / "data" / "knee" / "normal").iterdir())[:15]:
        file.unlink()
    assert cli.main(["train", "data", "--out", "new.safetensors", "--device", "cpu"]) == 7
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "T03" in told
    assert "foot has no folder normal" in told
    assert "knee has 5 usable normal images" in told
    assert [path.name for path in here.iterdir()] == ["data"]


def test_resume_without_a_checkpoint_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "data", "--out", "new.safetensors", "--resume", "--device", "cpu"]) == 7
    assert "T04" in capsys.readouterr().err


def test_options_left_out_are_those_of_the_recipe_in_the_code() -> None:
    made = recipe()
    assert made == Recipe(Path("data"), command="d24fad train DATA --out FILE")


def test_options_change_what_they_say() -> None:
    made = recipe("--shots", "2", "--rate", "0.01", "--no-tsd", "--no-l2w", "--validate", "a", "b")
    assert made.training == TrainingOptions(shots=2, rate=0.01, tsd_weight=0, l2w=False)
    assert made.validate == ("a", "b")
    assert made.select
    made = recipe(
        "--published", "--tsd-weight", "0.5", "--no-ssd", "--no-selection", "--checkpoint-every", "7"
    )
    assert (made.training.groups, made.training.tsd_weight, made.training.ssd) == (1, 0.5, False)
    assert (made.select, made.every) == (False, 7)


@pytest.mark.parametrize("command", [["train", "data", "--out", "new.safetensors"], ["evaluate", "data"]])
def test_numbers_below_zero_are_refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--seed", "--procedural") if command[0] == "train" else ("--seed",):
        assert cli.main([*command, option, "-5"]) == 2
        assert f"A01: An argument is not valid. Argument {option}: expected" in capsys.readouterr().err
    assert recipe("--procedural", "0").procedural == 0


def test_a_recipe_file_gives_options_that_the_command_line_overrides(here: Path) -> None:
    (here / "recipe.toml").write_text(
        'title = "T"\nlicence = "L"\nfailures = ["F."]\n[terms]\nhand = "cite"\n'
        '[options]\nsteps = 70\nseed = 4\nno-selection = true\nhold-out = ["knee"]\n'
    )
    made = recipe("--recipe", "recipe.toml", "--seed", "9")
    assert (made.training.steps, made.training.seed, made.select) == (70, 9, False)
    assert (made.hold_out, made.about.title, made.about.terms["hand"]) == (("knee",), "T", "cite")
    assert made.command == ("d24fad train DATA --out FILE --steps 70 --hold-out knee --no-selection --seed 9")


@pytest.mark.parametrize(
    "content",
    [
        "not toml",
        'colour = "green"',
        "licence = 3",
        'failures = "one"',
        "[options]\nspeed = 3",
        "[options]\nsteps = 0",
        '[options]\nout = "elsewhere"',
        "options = 3",
        "[terms]\nhand = 3",
    ],
)
def test_a_recipe_that_says_something_else_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (here / "recipe.toml").write_text(content)
    words = ["train", "data", "--out", "new.safetensors", "--recipe", "recipe.toml", "--device", "cpu"]
    assert cli.main(words) == 2
    assert "A01" in capsys.readouterr().err


def test_the_recipe_of_the_embedded_model_can_be_read() -> None:
    file = Path(__file__).resolve().parents[2] / "resources" / "models" / "compact.toml"
    made = recipe("--recipe", str(file))
    assert made.teacher == "compact"
    assert made.about.licence == "BSD-3-Clause"
    assert made.about.intended_use
