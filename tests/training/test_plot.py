from pathlib import Path

import numpy as np
from PIL import Image

from napari_d24fad.training.plot import save_loss_plot


def test_each_stage_gets_its_axes_and_reviews_are_drawn(tmp_path: Path) -> None:
    one, two, bare = tmp_path / "one.png", tmp_path / "two.png", tmp_path / "bare.png"
    falling = list(np.geomspace(1, 0.1, 80))
    save_loss_plot({"training": falling}, [(40, 0.7), (80, 0.8)], one)
    save_loss_plot({"distillation": falling, "training": [0.5]}, [], two)
    save_loss_plot({"training": falling}, [], bare)
    assert Image.open(two).width > Image.open(one).width
    drawn, without = (np.asarray(Image.open(path).convert("RGB")).astype(int) for path in (one, bare))
    orange = lambda pixels: ((pixels[..., 0] > 220) & (pixels[..., 2] < 60)).sum()  # noqa: E731 - C1 of matplotlib
    assert orange(drawn) > 50
    assert orange(without) == 0
