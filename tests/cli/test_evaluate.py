"""``d24fad evaluate``: what it prints and writes, and what it refuses before computing anything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_d24fad import cli
from napari_d24fad.cli.parser import read_arguments
from napari_d24fad.cli.train import recipe_of
from napari_d24fad.errors import Cancelled
from napari_d24fad.evaluation.folds import FoldPlan
from napari_d24fad.training.options import TrainingOptions
from napari_d24fad.training.recipe import Recipe
from tests.detection.subjects import head
from tests.evaluation.images import make_task


def test_what_is_printed_and_written(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_task(tmp_path / "data" / "hand", masks=True)
    out = tmp_path / "out"
    words = ["evaluate", str(tmp_path / "data"), "--model", str(model), "--out", str(out), "--no-figures"]
    words += ["--shots", "3,2", "--draws", "2", "--device", "cpu"]
    assert cli.main([*words, "--reliability", "--abnormal-shots", "0,2"]) == 0
    printed = capsys.readouterr().out
    assert "model + 2 abnormal " in printed
    assert "3 references, mean of 2 draws" in printed
    assert "hand  7       4         4 + 2     1.000 [1.000, 1.000]" in printed
    assert "hand: pixel AUROC 0." in printed
    assert "*" not in printed  # the card of this model names no training data
    words[words.index("--draws") + 1] = "1"
    assert cli.main([*words, "--scoring", "paper"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Image AUROC, paper scoring, honest protocol, 3 references, one draw\n")
    assert cli.main([*words, "--json", "--scoring", "paper"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["shots"], told["scoring"]) == ("d24fad-evaluation/2", [2, 3], "paper")
    assert {path.name for path in (out / "random-matched").iterdir()} == {
        "evaluation.csv",
        "evaluation.json",
        "reliability.png",
        "scores.csv",
    }
    written = json.loads((out / "random-matched" / "evaluation.json").read_text())
    assert 0 <= written["tasks"][0]["reliability"]["observed_pixel_rates"][0] <= 1
    assert written["tasks"][0]["one_abnormal_reference"]["shots"] == 3
    assert len((out / "runs.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["--task", "foot"], 7, "T01"),
        (["--shots", "7"], 7, "T03"),
        (["--shots", "1,4"], 2, "A01"),
        (["--shots", "two"], 2, "A01"),
        (["--abnormal-shots", "4"], 7, "T01"),
        (["--abnormal-shots", "2", "--scoring", "paper"], 2, "A01"),
        (["--abnormal-shots", "2", "--ablation"], 2, "A01"),
        (["--folds", "hand"], 2, "A01"),
        (["--protocol", "published", "--scoring", "matched"], 2, "A01"),
        (["--protocol", "published", "--reliability"], 2, "A01"),
        (["--leave-one-task-out", "--folds", "foot"], 2, "A01"),
    ],
)
def test_refusals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, code: str
) -> None:
    make_task(tmp_path / "data" / "hand")
    command = ["evaluate", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--shots", "2"]
    assert cli.main([*command, *words]) == status
    assert capsys.readouterr().err.startswith(f"d24fad: error {code}: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--folds", "hand"], "--folds"),
        (["--teacher", "resnet18"], "--teacher"),
        (["--steps", "5"], "--steps"),
        (["--published"], "--published"),
        (["--distil-from", "weights.npz"], "--distil-from"),
        (["--leave-one-task-out", "--model", "compact"], "--model"),
        (["--ablation", "--leave-one-task-out"], "--leave-one-task-out"),
        (["--ablation", "--reliability"], "--reliability"),
        (["--ablation", "--without-tsd", "compact"], "--without-tsd"),
        (["--ablation", "--protocol", "published"], "--protocol published"),
        (["--no-figures", "--without-tsd", "compact"], "--without-tsd"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], named: str
) -> None:
    assert cli.main(["evaluate", str(tmp_path), "--out", str(tmp_path / "out"), *words]) == 2
    assert f"A01: An argument is not valid. {named} " in capsys.readouterr().err


def test_models_of_held_out_tasks_are_trained_by_our_recipe_or_as_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_task(tmp_path / "data" / "hand")
    recipes: list[Recipe] = []

    def stop(plan: FoldPlan, *_: object, **__: object) -> None:
        recipes.append(plan.recipe)
        raise Cancelled

    monkeypatch.setattr("napari_d24fad.evaluation.folds.train_folds", stop)
    words = ["evaluate", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--leave-one-task-out"]
    words += ["--shots", "2", "--seed", "3"]
    assert cli.main(words) == cli.CANCELLED
    assert cli.main([*words, "--published", "--steps", "7", "--teacher", "resnet18"]) == cli.CANCELLED
    data = tmp_path / "data"
    ours = "d24fad train DATA --out FILE --teacher compact --steps 2000 --seed 3"
    published = (
        "d24fad train DATA --out FILE --teacher resnet18 --steps 7 "
        "--published --procedural 0 --no-selection --seed 3"
    )
    assert recipes == [
        Recipe(data, training=TrainingOptions(seed=3), command=ours),
        Recipe(
            data,
            "resnet18",
            procedural=0,
            select=False,
            training=replace(TrainingOptions.published(7), seed=3),
            command=published,
        ),
    ]
    for recipe in recipes:  # what the card says is what was done
        typed = recipe.command.replace("DATA", str(data)).split()[1:]
        assert replace(recipe_of(read_arguments(typed)), command=recipe.command) == recipe


def test_the_ablation_of_images_refuses_volumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for label, seeds in (("normal", range(3)), ("abnormal", range(3, 4))):
        (tmp_path / "data" / "head" / label).mkdir(parents=True)
        for seed in seeds:
            image = nibabel.Nifti1Image(head(seed).voxels, np.diag([2.0, 2.0, 4.0, 1.0]))
            nibabel.save(image, tmp_path / "data" / "head" / label / f"{seed}.nii")
    command = ["evaluate", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--shots", "2"]
    assert cli.main([*command, "--ablation"]) == 2
    told = capsys.readouterr().err
    assert "A01" in told
    assert "single images; these tasks hold volumes: head." in told
    assert not (tmp_path / "out").exists()
