"""Models that never saw what they are measured on."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from napari_d24fad.errors import ArgumentError, Cancelled
from napari_d24fad.evaluation import folds as folds_module
from napari_d24fad.evaluation.folds import FoldPlan, parse_groups, train_folds
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.reading import read_labelled
from napari_d24fad.network.card import read_card
from napari_d24fad.progress import CancelToken
from napari_d24fad.training.options import TrainingOptions
from napari_d24fad.training.recipe import Recipe
from tests.evaluation.images import make_task


def test_groups() -> None:
    names = ["brain", "breast", "chest"]
    assert parse_groups(None, names) == (("brain",), ("breast",), ("chest",))
    assert parse_groups("brain+chest,breast", names) == (("brain", "chest"), ("breast",))
    for wrong in ("liver", "brain,brain", "brain+,breast"):
        with pytest.raises(ArgumentError):
            parse_groups(wrong, names)


def test_groups_whose_names_look_alike_have_models_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "x" * 70
    groups = (("b t1",), ("b-t1",), ("b", "t1"), ("B-t1",), (f"{long}1",), (f"{long}2",))
    names = [name for group in groups for name in group]
    for name in names:
        (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
    trained: list[Path] = []
    monkeypatch.setattr(folds_module, "train_model", lambda recipe, file, **_: trained.append(file))
    plan = FoldPlan(groups, Recipe(tmp_path / "data"))
    folds = train_folds(plan, [LabelledTask(name, ()) for name in names], tmp_path / "out")
    assert [fold.model for fold in folds] == trained
    # Also where the file system does not tell capitals from small letters.
    assert len({file.name.lower() for file in trained}) == len(groups)
    assert all(len(file.stem) <= 64 for file in trained)


def test_each_model_is_trained_without_its_tasks_and_used_again(tmp_path: Path) -> None:
    for at, name in enumerate(("a", "b b")):
        make_task(tmp_path / "data" / name, n_normal=12, seed=1000 * at)
    tasks = read_labelled(tmp_path / "data", shots=2)
    options = TrainingOptions(steps=2, groups=1, queries=2, shots=2, side=64)
    recipe = Recipe(tmp_path / "data", procedural=1, select=False, training=options, command="d24fad train")
    plan = FoldPlan((("a",), ("b b",)), recipe, "cpu")
    folds = train_folds(plan, tasks, tmp_path / "out")
    assert [[task.name for task in fold.tasks] for fold in folds] == [["a"], ["b b"]]
    files = [Path(fold.model) for fold in folds]
    assert [file.stem[:-9] for file in files] == ["without-a", "without-b-b"]
    for file, unseen, seen in ((files[0], "a", "b b"), (files[1], "b b", "a")):
        names = {source.name.split(":")[0] for source in read_card(file.with_suffix(".json")).data}
        assert seen in names
        assert unseen not in names
    before = [file.stat().st_mtime_ns for file in files]
    train_folds(plan, tasks, tmp_path / "out")
    assert [file.stat().st_mtime_ns for file in files] == before
    # An image that was changed is seen, if it was trained on: the model without b is trained anew.
    changed = next((tmp_path / "data" / "a" / "normal").iterdir())
    os.utime(changed, ns=(1, 1))
    train_folds(plan, tasks, tmp_path / "out")
    after = [file.stat().st_mtime_ns for file in files]
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)
    other = FoldPlan(plan.groups[:1], replace(recipe, procedural=2, command="other"), "cpu")
    train_folds(other, tasks, tmp_path / "out")
    assert files[0].stat().st_mtime_ns != before[0]


def test_a_training_that_was_stopped_goes_on_where_it_fits_and_else_starts_anew(tmp_path: Path) -> None:
    for at, name in enumerate(("a", "b")):
        make_task(tmp_path / "data" / name, n_normal=12, seed=1000 * at)
    tasks = read_labelled(tmp_path / "data", shots=2)
    options = TrainingOptions(steps=4, groups=1, queries=2, shots=2, side=64)
    recipe = Recipe(
        tmp_path / "data", procedural=0, select=False, every=1, training=options, command="d24fad train"
    )
    models = tmp_path / "out" / "models"

    def train(recipe: Recipe, *, stop_at: str = "never") -> list[str]:
        """Trains until a step, if it comes to it; returns what happened besides steps."""
        token = CancelToken()
        plan = FoldPlan((("a",),), recipe, "cpu")
        try:
            train_folds(
                plan,
                tasks,
                tmp_path / "out",
                progress=lambda _, step: token.cancel() if stop_at in step else None,
                cancel=token,
            )
        except Cancelled:
            assert stop_at != "never"
        (log,) = models.glob("without-a-*.log.jsonl")
        lines = map(json.loads, log.read_text().splitlines())
        return [f"{line['event']} {line['step']}" for line in lines if line["event"] in {"resume", "end"}]

    assert train(recipe, stop_at="step 2") == []
    assert train(recipe) == ["resume 2", "end 4"]
    (file,) = models.glob("without-a-*.safetensors")
    before = file.stat().st_mtime_ns
    assert train(recipe) == ["resume 2", "end 4"]
    assert file.stat().st_mtime_ns == before  # and is then used again
    file.unlink()
    train(recipe, stop_at="step 2")
    other = replace(recipe, training=replace(options, seed=1), command="other")
    assert train(other) == ["end 4"]
