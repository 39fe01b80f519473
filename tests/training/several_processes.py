"""Run by test_processes under a launcher: trains a small student and says how it went."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from napari_d24fad.errors import Cancelled
from napari_d24fad.progress import CancelToken
from napari_d24fad.training.processes import is_main_process
from napari_d24fad.training.recipe import Recipe
from napari_d24fad.training.train import train_model
from tests.training.test_record import RECIPE, losses


def main(folder: Path) -> None:
    """Trains without a break, then with one, and prints both loss curves."""
    recipe: Recipe = replace(RECIPE, procedural=2, training=replace(RECIPE.training, steps=5))
    train_model(recipe, folder / "whole.safetensors", device="cpu")
    token = CancelToken()

    def stop(fraction: float, told: str) -> None:
        if told.startswith("Training: step 3 "):
            token.cancel()

    with suppress(Cancelled):
        train_model(recipe, folder / "broken.safetensors", device="cpu", progress=stop, cancel=token)
    train_model(recipe, folder / "broken.safetensors", device="cpu", resume=True)
    if is_main_process():
        curves = {name: losses(folder / f"{name}.safetensors") for name in ("whole", "broken")}
        print(json.dumps(curves))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
