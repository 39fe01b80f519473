from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from napari_d24fad.training.plot import save_loss_plot


def pixels(path: Path) -> npt.NDArray[np.int64]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def count(path: Path, colour: tuple[int, int, int]) -> int:
    """Number of pixels of about a colour."""
    return int((np.abs(pixels(path) - colour).max(axis=-1) < 30).sum())


def orange(path: Path) -> int:
    """Number of pixels of about #ff7f0e, which only reviews are drawn in."""
    return count(path, (255, 127, 14))


def test_each_stage_gets_its_axes_and_reviews_are_drawn(tmp_path: Path) -> None:
    one, two, bare = tmp_path / "one.png", tmp_path / "two.png", tmp_path / "bare.png"
    falling = [float(loss) for loss in np.geomspace(1, 0.1, 80)]
    save_loss_plot({"training": falling}, [(40, 0.7), (80, 0.8)], one)
    save_loss_plot({"distillation": falling, "training": [0.5]}, [], two)
    save_loss_plot({"training": falling}, [], bare)
    assert pixels(two).shape[1] > pixels(one).shape[1]
    assert orange(one) > 50
    assert orange(bare) == 0


def test_the_losses_of_a_short_training_are_drawn_plainly(tmp_path: Path) -> None:
    for steps in (1, 2, 49):
        path = tmp_path / f"{steps}.png"
        save_loss_plot({"training": [1 / step for step in range(1, steps + 1)]}, [], path)
        assert count(path, (31, 119, 180)) > 50  # of #1f77b4; a single step is a dot
