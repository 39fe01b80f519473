"""Checkpoints: a training that was stopped goes on as if it had not been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from napari_d24fad.errors import Cancelled, Code, TrainingError
from napari_d24fad.progress import CancelToken
from napari_d24fad.training import distil, train
from napari_d24fad.training.data import views
from napari_d24fad.training.data.procedural import procedural_tasks
from napari_d24fad.training.data.views import Source
from napari_d24fad.training.options import TrainingOptions
from napari_d24fad.training.recipe import Recipe
from napari_d24fad.training.train import train_model
from tests.training.test_distil import fold, lively_teacher

REPOSITORY = Path(__file__).resolve().parents[2]
QUICK = TrainingOptions(steps=6, groups=1, queries=2, shots=2, side=64)
RECIPE = Recipe(None, procedural=1, select=False, every=2, training=QUICK)


def losses(out: Path, stage: str = "training") -> list[float]:
    lines = map(json.loads, out.with_suffix(".log.jsonl").read_text(encoding="utf-8").splitlines())
    return [line["loss"] for line in lines if line["event"] == "step" and line["stage"] == stage]


def stop_at(step: str) -> dict[str, Any]:
    """Options that cancel a training once it has told of this step."""
    token = CancelToken()

    def progress(fraction: float, told: str) -> None:
        if told.startswith(step):
            token.cancel()

    return {"progress": progress, "cancel": token}


@pytest.mark.parametrize(
    "training",
    [QUICK, replace(TrainingOptions.published(6, shots=2), queries=3, side=64)],
    ids=["augmented", "cached"],
)
def test_a_resumed_training_is_bit_for_bit_the_unbroken_one(
    tmp_path: Path, training: TrainingOptions
) -> None:
    recipe = replace(RECIPE, training=training)
    unbroken, broken = tmp_path / "unbroken.safetensors", tmp_path / "broken.safetensors"
    whole = train_model(recipe, unbroken, device="cpu")
    with pytest.raises(Cancelled):
        train_model(recipe, broken, device="cpu", **stop_at("Training: step 5 "))
    assert len(losses(broken)) == 4  # at most one interval is lost
    assert broken.with_suffix(".checkpoint").is_file()
    assert not broken.exists()
    resumed = train_model(recipe, broken, device="cpu", resume=True)
    assert losses(broken) == losses(unbroken)
    assert resumed.sha256 == whole.sha256
    assert not broken.with_suffix(".checkpoint").exists()
    events = [json.loads(line)["event"] for line in broken.with_suffix(".log.jsonl").read_text().splitlines()]
    assert events[0] == "begin"
    assert events[-2:] == ["resume", "end"]


def test_distillation_resumes_too_and_hands_its_teacher_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    banks: list[object] = []

    def few(*_: object) -> list[Source]:
        made = procedural_tasks(2, 8, 96, seed=0)
        pictures = [[image.float() / 255 for image in task.images] for task in made]
        return [Source(each, 16, (0.4, 1.0), 1, general=n == 0) for n, each in enumerate(pictures)]

    def counting(*arguments: Any) -> views.ViewBank:
        banks.append(arguments)
        return views.build_bank(*arguments)

    monkeypatch.setattr(train, "distil_sources", few)  # of 19,500 views
    monkeypatch.setattr(distil, "build_bank", counting)
    np.savez(tmp_path / "folded.npz", **fold(lively_teacher()))  # type: ignore[arg-type]  # numpy's stub
    training = replace(QUICK, steps=2)
    recipe = replace(RECIPE, distil_from=tmp_path / "folded.npz", distil_steps=2, every=1, training=training)
    unbroken, broken = tmp_path / "unbroken.safetensors", tmp_path / "broken.safetensors"
    whole = train_model(recipe, unbroken, device="cpu")
    stops = ["Distilling: step 1 ", "Training: step 1 "]
    banks.clear()
    for count, stop in enumerate(stops):
        with pytest.raises(Cancelled):
            train_model(recipe, broken, device="cpu", resume=count > 0, **stop_at(stop))
    resumed = train_model(recipe, broken, device="cpu", resume=True)
    assert len(banks) == 2  # none for the last run: the teacher is there
    assert losses(broken, "distillation") == losses(unbroken, "distillation")
    assert losses(broken) == losses(unbroken)
    assert resumed.sha256 == whole.sha256


def test_the_best_weights_survive_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = replace(RECIPE, select=True)
    out, unbroken = tmp_path / "broken.safetensors", tmp_path / "unbroken.safetensors"

    def made_up_measurements() -> None:
        values = iter([0.5, 0.9, 0.4])
        monkeypatch.setattr(train, "Validation", lambda *_: lambda cancel: next(values))

    made_up_measurements()
    whole = train_model(recipe, unbroken, device="cpu")
    made_up_measurements()
    with pytest.raises(Cancelled):
        train_model(recipe, out, device="cpu", **stop_at("Training: step 5 "))
    card = train_model(recipe, out, device="cpu", resume=True)
    assert card.selection.startswith("Weights after step 4, of 3 compared by image AUROC (here 0.900)")
    assert card.sha256 == whole.sha256
    last = train_model(RECIPE, tmp_path / "last.safetensors", device="cpu")
    assert last.sha256 != whole.sha256


def test_what_cannot_be_gone_on_with_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "mine.safetensors"

    def refusal(recipe: Recipe) -> str:
        with pytest.raises(TrainingError) as refused:
            train_model(recipe, out, device="cpu", resume=True)
        assert refused.value.code is Code.CANNOT_RESUME
        return refused.value.detail

    assert "no checkpoint" in refusal(RECIPE)
    with pytest.raises(Cancelled):
        train_model(RECIPE, out, device="cpu", **stop_at("Training: step 3 "))
    checkpoint = out.with_suffix(".checkpoint")
    whole = checkpoint.read_bytes()
    assert refusal(replace(RECIPE, training=replace(QUICK, seed=1))) == (
        "It was begun with other values of: images of procedural 1, seed."
    )
    assert "shots" in refusal(replace(RECIPE, training=replace(QUICK, shots=3)))
    for damaged in (whole[: len(whole) // 2], b"", b"\0" * len(whole)):
        checkpoint.write_bytes(damaged)
        assert "damaged" in refusal(RECIPE)
    checkpoint.write_bytes(whole)
    # A lower rate is what a divergence asks for: it may change.
    card = train_model(
        replace(RECIPE, training=replace(QUICK, rate=1e-4), command="--rate 0.0001"),
        out,
        device="cpu",
        resume=True,
    )
    assert card.recipe == ("--rate 0.0001",)


def test_divergence_keeps_the_last_good_checkpoint_to_go_on_from_with_a_lower_rate(tmp_path: Path) -> None:
    out = tmp_path / "mine.safetensors"
    with pytest.raises(Cancelled):
        train_model(RECIPE, out, device="cpu", **stop_at("Training: step 4 "))
    good = out.with_suffix(".checkpoint").read_bytes()
    with pytest.raises(TrainingError) as refusal:
        train_model(replace(RECIPE, training=replace(QUICK, rate=1e30)), out, device="cpu", resume=True)
    assert refusal.value.code is Code.DIVERGED
    assert "last good checkpoint, of training step 4, was kept" in refusal.value.detail
    assert "--resume and a lower --rate" in str(refusal.value)
    assert out.with_suffix(".checkpoint").read_bytes() == good
    assert not out.exists()
    log = out.with_suffix(".log.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(log[-1])["event"] == "diverged"
    train_model(replace(RECIPE, training=replace(QUICK, rate=1e-4)), out, device="cpu", resume=True)
    assert all(np.isfinite(losses(out)))


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_training_loses_at_most_one_interval(tmp_path: Path) -> None:
    images = tmp_path / "data" / "hand" / "normal"
    images.mkdir(parents=True)
    r = np.random.default_rng(0)
    for number in range(12):
        Image.fromarray(r.integers(0, 255, (40, 40), np.uint8)).save(images / f"{number}.png")
    out = tmp_path / "mine.safetensors"
    program = """
import sys
from pathlib import Path
from tests.training.test_record import RECIPE
from dataclasses import replace
from napari_d24fad.training.train import train_model
long = replace(RECIPE.training, steps=100_000)
recipe = replace(RECIPE, data=Path(sys.argv[1]), procedural=0, training=long)
train_model(recipe, Path(sys.argv[2]), device="cpu", progress=lambda f, s: print(s, flush=True))
"""
    last = 0
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "data"), str(out)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Training: step "):
                last = int(line.split()[2])
            if last == 5:
                time.sleep(0.05)  # into the next step, or the checkpoint that follows it
                process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    kept = losses(out)
    assert last >= 5  # of what was told before it died
    assert last - RECIPE.every <= len(kept)
    training = replace(QUICK, steps=100_000)
    recipe = replace(RECIPE, data=tmp_path / "data", procedural=0, training=training)
    with pytest.raises(Cancelled):
        train_model(recipe, out, device="cpu", resume=True, **stop_at(f"Training: step {last + 3} "))
    assert losses(out)[: len(kept)] == kept
    assert len(losses(out)) > len(kept)
